#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs test_validators.py with the validators that are there; ci/test --long installs those that are to be had:
# validators.bash MRELEASE
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
. ci/validators.sh
for name in ecs ocsf; do
    if [[ -n ${MRELEASE_TEST_LONG:-} ]] || has_validator "$name"; then
        export "${name^^}=$("receiver_$name")"
    else
        export "${name^^}=not installed: ci/test --long does it"
    fi
done
exec /usr/bin/python3 tests/contract/shapes/test_validators.py "$1"
