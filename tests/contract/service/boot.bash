#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The unit in a real systemd: a container that sees this host's files below an overlay, and an installed tree of the
# program. boot.bash BUILD_DIRECTORY
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
build=$1
. tests/contract/service/nspawn.sh
[[ ${MRELEASE_TEST_LONG-} ]] || { echo "1..0 # SKIP a boot of systemd, with --long" && exit 77; }
command -v systemd-nspawn nsenter >/dev/null || { echo "1..0 # SKIP systemd-nspawn is missing" && exit 77; }

room=$(mktemp -d /var/tmp/mrelease-boot.XXXXXX)

# shellcheck disable=SC2317
clean() {
    machine_stop
    mountpoint -q "$room/root" && umount -R "$room/root"
    rm -rf "$room"
}
trap clean EXIT

mkdir -p "$room"/{root,upper,work}
mount -t overlay overlay -o "lowerdir=/,upperdir=$room/upper,workdir=$room/work" "$room/root"
DESTDIR=$room/root cmake --install "$build" --prefix /usr >/dev/null
install -D -m 0644 packaging/systemd/mrelease.service "$room/root/etc/systemd/system/mrelease.service"
install -D -m 0644 packaging/systemd/mrelease.sysusers.conf "$room/root/usr/lib/sysusers.d/mrelease.conf"
install -D -m 0644 packaging/mrelease.yaml "$room/root/etc/mrelease/mrelease.yaml"
ln -sf /etc/systemd/system/mrelease.service "$room/root/etc/systemd/system/multi-user.target.wants/mrelease.service"
for name in getty.target ssh.service cron.service networking.service remote-fs.target rsyslog.service; do
    ln -sf /dev/null "$room/root/etc/systemd/system/$name"
done
machine_start "$room/root"
events=/var/log/mrelease/events.json
set +e

await 60 inside systemctl is-active mrelease
ok "the unit is active, which it says itself"
[[ $(inside systemctl show mrelease -p StatusText) == *'watching with'* ]]
ok "its status says how it watches"
[[ $(inside ps -o user= -C mrelease | sort -u) == mrelease ]] &&
    [[ $(inside ps -o ni= -p "$(inside systemctl show mrelease -p MainPID --value)") -eq -15 ]]
ok "it runs as a user of its own, and before others"
inside python3 -c 'import ctypes; ctypes.CDLL(None).syscall(448, -1, 0)'
await 10 inside grep -q process_mrelease "$events"
ok "a call is in its file"
pid=$(inside systemctl show mrelease -p MainPID --value)
inside mv "$events" "$events.moved" && inside systemctl reload mrelease
ok "a reload is waited for"
inside python3 -c 'import ctypes; ctypes.CDLL(None).syscall(448, -1, 1)'
await 10 inside grep -q process_mrelease "$events"
ok "after the reload it writes to a new file"
[[ $pid == "$(inside systemctl show mrelease -p MainPID --value)" ]]
ok "the same process"
inside mkdir -p /etc/mrelease/conf.d
inside bash -c 'echo "evnts: [mlock]" > /etc/mrelease/conf.d/10-wrong.yaml'
! inside systemctl reload mrelease && inside systemctl is-active mrelease
ok "a reload of a wrong configuration fails, and it goes on"
inside rm /etc/mrelease/conf.d/10-wrong.yaml
inside mrelease ctl status | grep -q "coverage compat"
ok "it answers at its control socket"
await 10 inside bash -c "journalctl -u mrelease -o json | grep '\"PRIORITY\":\"6\"' | grep watching"
ok "its lines have priorities in the journal"
inside kill -KILL "$pid"
await 20 inside bash -c "[[ \$(systemctl show mrelease -p MainPID --value) != $pid ]] && systemctl is-active mrelease"
ok "kill -9: it is started again"
await 10 inside grep -q '"blind"' "$events"
ok "and says how long nobody watched"
inside systemctl stop mrelease
inside grep -q '"stopped"' "$events"
ok "a stop is orderly"
inside /usr/bin/mrelease verify "$events.moved" "$events" >"$room/verify" 2>&1 || true
grep -qi 'blind' "$room/verify"
ok "verify tells how long nobody watched"
((failed)) && { tail -n 20 "$room/console"; inside journalctl -u mrelease -n 40 --no-pager; cat "$room/verify"; } | sed 's/^/# /'
end
