// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/methods.h"

#include "side/grpc/server/health.h"
#include "side/grpc/server/reflection.h"
#include "side/grpc/server/requests.h"
#include "side/grpc/server/stream.h"

#define TRACEE     "/tracee.v1beta1.TraceeService/"
#define DIAGNOSTIC "/tracee.v1beta1.DiagnosticService/"

const struct mrl_method mrl_methods[] = {
    { .path = TRACEE "StreamEvents",
      .stream = mrl_stream__begin,
      .closed = mrl_stream__closed,
      .freed = mrl_stream__freed },
    { .path = TRACEE "GetEventDefinitions", .answer = mrl_answer__definitions },
    { .path = TRACEE "EnableEvent", .answer = mrl_answer__enable },
    { .path = TRACEE "DisableEvent", .answer = mrl_answer__disable },
    { .path = TRACEE "GetDetectorsCatalog", .answer = mrl_answer__detectors },
    { .path = TRACEE "GetVersion", .answer = mrl_answer__version },
    { .path = DIAGNOSTIC "GetMetrics", .answer = mrl_answer__metrics },
    { .path = DIAGNOSTIC "ChangeLogLevel", .answer = mrl_answer__log_level },
    { .path = DIAGNOSTIC "GetStacktrace", .answer = mrl_answer__stacktrace },
    { .path = "/mrelease.v1.MetricsService/GetMetrics", .answer = mrl_answer__all_metrics },
    { .path = "/grpc.health.v1.Health/Check", .answer = mrl_answer__health },
    { .path = "/grpc.health.v1.Health/Watch",
      .stream = mrl_health__watch,
      .closed = mrl_health__forget },
    { .path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      .answer = mrl_reflection__answer,
      .repeats = true },
    { .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      .answer = mrl_reflection__answer,
      .repeats = true },
};

const unsigned int mrl_method_count = sizeof(mrl_methods) / sizeof(mrl_methods[0]);
