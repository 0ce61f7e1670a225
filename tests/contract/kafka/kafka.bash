#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs a broker, if it is to be had, and runs a test before it: kafka.bash TEST PROGRAM
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
. ci/receivers_kafka.sh
[[ -n ${MRELEASE_TEST_LONG:-} ]] || receivers_limit_s=90
if ! KAFKA=$(receiver_kafka); then
    echo "1..0 # SKIP no broker: ${KAFKA##*$'\n'}"
    exit 77
fi
export KAFKA
exec /usr/bin/python3 "tests/contract/kafka/$1" "${@:2}"
