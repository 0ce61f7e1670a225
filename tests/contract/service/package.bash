#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The packages in a real systemd: built here, judged by lintian, installed in a minimal Debian 12, used, upgraded,
# removed and purged. package.bash build; package.bash
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
. tests/contract/service/nspawn.sh
[[ ${MRELEASE_TEST_LONG-} ]] || { echo "1..0 # SKIP packages in a container, with --long" && exit 77; }
for command in systemd-nspawn nsenter mmdebstrap dpkg-buildpackage dh lintian; do
    [[ -n $(type -P "$command") ]] || { echo "1..0 # SKIP $command is missing: ci/deps --packaging" && exit 77; }
done

room=$(mktemp -d /var/tmp/mrelease-package.XXXXXX)
trap 'machine_stop; rm -rf "$room"' EXIT
debs=build/package/deb
export DEB_BUILD_OPTIONS=noautodbgsym
parts=(libmrelease0 mrelease mrelease-grpc mrelease-metrics mrelease-names mrelease-stream)
events=/var/log/mrelease/events.json

# install_debs: what was built last, in the container.
install_debs() {
    local part files=()
    for part in "${parts[@]}"; do files+=("$debs/${part}"_*.deb); done
    cp "${files[@]}" "$room/root/root/"
    inside bash -c 'DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet /root/*.deb && rm /root/*.deb' >"$room/apt" 2>&1 ||
        { sed 's/^/# /' "$room/apt" && return 1; }
}

pid() { inside systemctl show mrelease -p MainPID --value; }

# call NUMBER: a call that fails, by which it is known.
call() { inside perl -e "syscall(448, -1, $1)"; }

if [[ ${1-} == build ]]; then
    ci/package deb --lint >"$room/build" 2>&1 || { sed 's/^/# /' "$room/build" && exit 1; }
    set +e
    ok "the packages are built, and lintian has no error and no warning"
    for unit in "$debs"/mrelease-*/debian/mrelease-*@.service; do
        systemd-analyze security --offline=true --threshold=20 "$unit" >/dev/null
        ok "${unit##*/} is rated 2.0 or better"
    done
    end
fi

minimal_root "$room/root" systemd systemd-sysv dbus libgrpc29 libprotobuf-c1 libcurl4 libmicrohttpd12 logrotate \
    libbpf1 libjansson4 libyaml-0-2 libseccomp2 libcap2 libzstd1 libssl3 autopkgtest dpkg-dev
machine_start "$room/root"
set +e

install_debs
ok "apt installs them"
await 30 inside systemctl is-active mrelease
ok "the service is active, which it says itself"
[[ $(inside systemctl show mrelease -p StatusText) == *'watching with'* ]]
ok "its status says how it watches"
[[ $(inside systemctl show mrelease -p WatchdogUSec --value) == 30s && $(inside systemctl is-enabled mrelease) == enabled ]]
ok "it is enabled, and watched"
[[ $(inside stat -c '%U %a' /var/log/mrelease "$events") == $'mrelease 750\nmrelease 640' ]]
ok "its log is its own, and nobody else's"
[[ -z $(inside systemctl list-units --failed --no-legend 'mrelease*') &&  $(inside systemctl is-active mrelease-grpc.socket) == active ]]
ok "sockets of side programs are there, and nothing has failed"
call 1001
await 10 inside grep -q '"value":1001' "$events"
ok "a call is in its file"
[[ $(inside mrelease version) == *"$(sed -n 's/.*SOURCE_ID "\([0-9a-f]\{12\}\).*/\1/p' "$debs"/mrelease-*/cmake/MreleaseSource.cmake)"* ]]
ok "version names the commit"
[[ -z $(cd "$room/root" && readelf -d usr/bin/mrelease usr/libexec/mrelease/* usr/lib/*/libmrelease.so.0 | grep -E 'RUNPATH|RPATH') ]]
ok "nothing has a RUNPATH"

# The runner cannot know that it is alone on a machine.
mkdir "$room/root/root/source" && cp -r packaging/debian "$room/root/root/source/"
inside autopkgtest --ignore-restrictions=isolation-machine --no-built-binaries /root/source -- null >"$room/autopkgtest" 2>&1
[[ $(grep -E '^(superficial|watch) +PASS' "$room/autopkgtest" | sort -u | wc -l) == 2 ]]
ok "autopkgtest passes the packages' tests"
rm -rf "$room/root/root/source"

# Outputs of side programs in units of their own. From here on nobody else's calls are watched: this kernel is shared.
cat >"$room/root/root/collector.pl" <<'PERL'
my $in = IO::Socket::INET->new(LocalAddr => "127.0.0.1:5514", Proto => "udp") or die;
my $line;
$in->recv($line, 65536), syswrite(STDOUT, "$line\n") while 1;
PERL
inside systemd-run --quiet --unit=collector perl -MIO::Socket::INET /root/collector.pl
# A runtime whose socket is root's alone, and which has no container.
cat >"$room/root/root/runtime.pl" <<'PERL'
my $in = IO::Socket::UNIX->new(Local => "/run/runtime.sock", Listen => 5) or die;
chmod 0600, "/run/runtime.sock";
while (my $peer = $in->accept) {
    while (<$peer>) { last if /^\r\n/ }
    print $peer "HTTP/1.1 200 OK\r\nServer: Docker/20 (linux)\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
}
PERL
inside systemd-run --quiet --unit=runtime perl -MIO::Socket::UNIX /root/runtime.pl
inside systemctl stop mrelease
inside systemctl enable --quiet --now mrelease-listen-metrics.socket
# shellcheck disable=SC2016 # sed's
inside sed -i -e 's|^output:|&\n  - grpc:unix:/run/mrelease/api.sock\n  - json:syslog+udp://127.0.0.1:5514|' \
    -e '$ahttp: systemd:metrics\nnames-socket: docker=/run/runtime.sock\nscope: comm=perl' /etc/mrelease/mrelease.yaml
inside systemctl start mrelease
await 20 inside bash -c "mrelease health --server unix:/run/mrelease/api.sock"
ok "an output of a side program serves"
[[ $(inside bash -c 'systemctl list-units --no-legend "mrelease-grpc@*.service"') == *running* ]]
ok "its program is a service"
side=$(inside systemctl show 'mrelease-grpc@*' -p MainPID --value)
(($(inside stat -c %u "/proc/$side") >= 61184))
ok "of a user that lives as long as it does"
(($(inside journalctl --no-pager -o cat | grep -c "no seccomp") == 0))
ok "the units leave both what they give up by themselves"
call 2001
await 10 inside bash -c "journalctl -u collector -o cat | grep -q '\"value\":2001'"
ok "a program with a network is one, and delivers"
scrape=$(inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/9448 && printf "GET /metrics HTTP/1.0\r\n\r\n" >&3 && cat <&3')
[[ $scrape == *mrelease_events_seen_total* ]]
ok "metrics are served over TCP, by a service that has no network"
await 10 inside bash -c "journalctl -u mrelease -o cat | grep -q 'names: docker at /run/runtime.sock: Docker/20'"
ok "names of containers are asked for at a socket of root's, by a service that is root without a right"
inside sed -i -e '/grpc:unix/d' -e '/syslog/d' -e '/^http/d' -e '/^names/d' /etc/mrelease/mrelease.yaml
inside mrelease run --output json:kafka://127.0.0.1/t >"$room/missing" 2>&1
grep -q "package mrelease-kafka" "$room/missing"
ok "a side program that is not installed is named with its package"

old=$(pid)
inside mv "$events" "$events.moved" && inside systemctl reload mrelease && call 1002
await 10 inside grep -q '"value":1002' "$events"
ok "a reload is waited for, and it writes to a new file"
[[ $(pid) == "$old" ]]
ok "the same process"
inside systemctl kill -s KILL --kill-whom=main mrelease
await 20 inside bash -c "[[ \$(systemctl show mrelease -p MainPID --value) != $old ]] && systemctl is-active mrelease"
ok "kill -9: it is started again"
await 10 inside bash -c "grep -q '\"blind\"' $events"
ok "and says how long nobody watched"

old=$(pid)
blind=$(inside bash -c "cat $events* | grep -c '\"blind\"'")
ci/package deb --again "$(dpkg-deb -f "$debs"/mrelease_*.deb Version)+1" >"$room/build" 2>&1 && install_debs
ok "a newer version is installed over it"
await 20 inside bash -c "[[ \$(systemctl show mrelease -p MainPID --value) != $old ]] && systemctl is-active mrelease"
ok "the upgrade restarts the service"
[[ $(inside dpkg-query -W mrelease) == *+1 ]]
ok "it is the newer version"
await 10 inside bash -c "((\$(cat $events* | grep -c '\"blind\"') > $blind))"
ok "and the interval in which nobody watched is told"
call 1003
await 10 inside grep -q '"value":1003' "$events"
ok "it watches"
inside mrelease verify /var/log/mrelease >"$room/verify" 2>&1
[[ $? == [03] ]]
ok "the files are complete but for what was told"

inside bash -c 'DEBIAN_FRONTEND=noninteractive apt-get remove --yes --quiet libmrelease0' >"$room/apt" 2>&1
[[ $(inside systemctl is-active mrelease) != active && ! -e $room/root/usr/bin/mrelease ]] &&
    inside ls "$events" /etc/mrelease/mrelease.yaml >/dev/null
ok "remove ends it, and leaves what it wrote and its configuration"
inside bash -c 'DEBIAN_FRONTEND=noninteractive apt-get purge --yes --quiet mrelease mrelease-\* libmrelease\*' >"$room/apt" 2>&1
left=$(inside find / -xdev \( -path /proc -o -path /sys -o -path /run/systemd -o -path /var/log/journal -o -path /var/lib/dpkg -o \
    -path /var/cache -o -path /var/lib/apt -o -path /var/log/apt \) -prune -o -iname '*mrelease*' -print)
[[ -z $left ]]
ok "purge leaves nothing"
inside getent passwd mrelease >/dev/null
ok "but the user, whose number shall be nobody else's"
((failed)) && { sed 's/^/# /' "$room"/{apt,autopkgtest,verify,missing} <(echo "left: $left"); tail -n 20 "$room/console"; inside journalctl -n 200 --no-pager -u 'mrelease*' -u collector; } | sed 's/^/# /'
end
