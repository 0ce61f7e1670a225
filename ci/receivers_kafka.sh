# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A broker of Apache Kafka for tests, as ci/receivers_http.sh has its receivers.
. ci/receivers_http.sh

receiver_kafka() {
    receiver_needs java || return 1
    [[ -e $receivers/kafka-4.1.1/libs ]] || receiver_needs mvn || return 1
    receiver_make kafka-4.1.1 libs bash -c "cp '$PWD/tests/receivers/kafka/'* . &&
        mvn -q dependency:copy-dependencies -DoutputDirectory=libs"
}
