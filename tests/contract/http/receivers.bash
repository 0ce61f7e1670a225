#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the receivers that are to be had, and runs a test before them: receivers.bash TEST ARGUMENT…
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
. ci/receivers_http.sh
for name in opensearch victorialogs collector fluent_server; do
    export "${name^^}=$("receiver_$name")"
done
exec /usr/bin/python3 "tests/contract/http/$1" "${@:2}"
