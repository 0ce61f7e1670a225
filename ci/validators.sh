# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The schemas of ECS and OCSF from those who made them, outside the tree, as ci/receivers_http.sh has its receivers.
. ci/receivers_http.sh

# has_validator NAME: whether it was installed before.
has_validator() {
    [[ -e $receivers/$1-$([[ $1 == ecs ]] && echo 9.4.0/ecs.json || echo 1.8.0/made) ]]
}

# Its fields as JSON: nothing but this asks for node.
# shellcheck disable=SC2016
receiver_ecs() {
    [[ -e $receivers/ecs-9.4.0/ecs.json ]] || { receiver_needs npm && receiver_needs node; } || return 1
    receiver_make ecs-9.4.0 ecs.json bash -c 'npm install --no-audit --no-fund --ignore-scripts @elastic/ecs@9.4.0 &&
        node -e "console.log(JSON.stringify(require(\"@elastic/ecs\").EcsFlat))" >ecs.json && rm -rf node_modules'
}

# Of an environment, the place is part: it is made where it stays.
receiver_ocsf() {
    local room=$receivers/ocsf-1.8.0
    [[ -e $room/made ]] && echo "$room" && return
    mkdir -p "$receivers"
    if { python3 -m venv --clear "$room" && "$room/bin/pip" install -q ocsf-json-schema==1.2.0 jsonschema==4.26.0; } \
        >"$room.log" 2>&1 && touch "$room/made"; then
        echo "$room"
    else
        echo "ocsf-1.8.0 cannot be installed: $(tail -n 1 "$room.log")"
        return 1
    fi
}
