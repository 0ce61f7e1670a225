# SPDX-License-Identifier: Apache-2.0
"""What each shape is of a line of json-v0.24: for shapes.py, and written from the same documents."""
import datetime
import errno

VERSION = "0.1.0"
I63 = (1 << 63) - 1
OWN = {"seq", "lane", "outcome", "container_lookup", "container_confirmed", "target_host_pid", "target_pid",
       "target_name", "target_exe", "target_uid", "target_start_time", "target_entity_id", "target_cgroup_id",
       "target_container_id", "target_from", "target_threads", "target_dying", "target_exit_signal",
       "target_core_dumping", "target_mm_shared"}
CAUSES = {"process_mrelease": "request", "do_mrelease": "release", "events_lost": "loss", "sensor_state": "sensor",
          "mlock": "lock", "mlock2": "lock", "mlockall": "lock", "munlock": "unlock", "munlockall": "unlock"}


def date(ns):
    if ns is None:
        return None
    text = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{ns % 10**9:09}".rstrip("0")
    return text + (f".{fraction}" if fraction else "") + "Z"


def text(value):
    return None if value is None else str(value)


def ms(ns):
    return None if ns is None else ns // 10**6


class Event:
    """What there is to be told, by names of our own. None is what is not known; what there is not is absent."""

    def __init__(self, group):
        line, facts = group["json"], group["facts"]
        self.line, self.facts, self.host = line, facts, group["host"]
        self.name = line["eventName"]
        self.about = CAUSES[self.name]
        self.args = {one["name"]: one["value"] for one in line["args"]}
        self.id = self.args.pop("id")
        self.is_call = self.about not in ("loss", "sensor")
        own = set(facts["own"])
        self.args = {name: value for name, value in self.args.items()
                     if group["extras"] or name in own or name in OWN}
        if self.args.get("target_container_id") == "":
            del self.args["target_container_id"]
        self.failed = self.is_call and line["returnValue"] < 0
        self.result = {"loss": "failure", "sensor": "unknown"}.get(self.about,
                                                                   "failure" if self.failed else "success")
        self.error = errno.errorcode.get(-line["returnValue"], str(line["returnValue"])) if self.failed else None
        self.start = line["timestamp"]
        self.end = facts["end_ns"]
        self.duration = None if facts["no_entry"] else self.end - self.start
        self.process_start = facts["process_start_ns"]
        self.reason = self.args.get({"loss": "cause", "sensor": "what"}.get(self.about, "outcome"), ...)
        # Names are told where they are known, and in no other word.
        self.names = {**line["container"], **line["kubernetes"]}
        self.runtime = {one["name"]: one["value"] for one in line["args"]}.get("container_runtime")
        self.container = line["containerId"] or (... if self.args.get("container_lookup") == "host" else None)

    def named(self, key):
        return self.names.get(key, ...)

    def rest(self, told):
        return {name: value for name, value in self.args.items() if name not in told}

    def message(self):
        line, args = self.line, self.args

        def arg(name):
            return "unknown" if args.get(name) is None else args[name]

        who = f"{line['processName']} ({line['hostProcessId']})"
        answer = self.error or "success"
        whom = f"{arg('target_name')} ({arg('target_host_pid')})"
        return {
            "request": lambda: f"{who} asked to release the memory of {whom}: {answer}, {arg('outcome')}",
            "release": lambda: f"{who} released {arg('released_bytes')} bytes of {whom}: {arg('outcome')}",
            "lock": lambda: f"{who} locked memory by {self.name}: {answer}",
            "unlock": lambda: f"{who} unlocked memory by {self.name}: {answer}",
            "loss": lambda: f"{args['count']} {args['event']} events lost: {args['cause']}",
            "sensor": lambda: f"the sensor: {args['what']}, {args['detail']}",
        }[self.about]()

    def severity(self):
        return {"request": "warning" if self.failed else "notice", "release": "notice", "loss": "error",
                "sensor": "notice"}.get(self.about, "info")


def put(tree, path, value):
    """At a path with dots; `...` is nothing."""
    if value is ...:
        return
    *objects, last = path.split(".")
    for name in objects:
        tree = tree.setdefault(name, {})
    assert last not in tree, path
    tree[last] = value


# -- ECS -------------------------------------------------------------------------------------------

TARGET_ECS = [("pid", "target_host_pid", int), ("vpid", "target_pid", int), ("name", "target_name", str),
              ("executable", "target_exe", str), ("user_id", "target_uid", str), ("start", "target_start_time", date),
              ("entity_id", "target_entity_id", str), ("cgroup_id", "target_cgroup_id", str),
              ("container_id", "target_container_id", str)]
AS_TEXT = {"addr", "by_cgroup"}


def ecs(event):
    line, args, host = event.line, event.args, event.host
    said = {
        "@timestamp": date(event.start),
        "ecs": {"version": "9.4.0"},
        "message": event.message(),
        "event": {"kind": "event", "category": ["process" if event.is_call else "host"],
                  "type": ["change" if event.about == "release" else "info"], "action": event.name,
                  "code": line["eventId"], "module": "mrelease", "dataset": f"mrelease.{event.name}",
                  "provider": "mrelease", "outcome": event.result, "id": event.id},
        "host": {"name": host["name"], "hostname": host["name"], "architecture": host["architecture"],
                 "id": host["machine_id"], "boot": {"id": host["boot_id"]},
                 "os": {"type": "linux", "kernel": host["kernel"], "name": host["os_name"],
                        "version": host["os_version"]}},
        "observer": {"vendor": "mrelease", "product": "mrelease", "type": "sensor", "version": VERSION},
    }
    put(said, "event.reason", event.reason)
    told = {"seq", "lane", "from_ns", "to_ns", "cause"} | {name for _, name, _ in TARGET_ECS}
    if event.is_call:
        put(said, "event.sequence", args["seq"])
        put(said, "event.duration", event.duration)
        put(said, "event.start", date(event.start))
        put(said, "event.end", date(event.end))
        put(said, "process", {
            "pid": line["hostProcessId"], "vpid": line["processId"], "name": line["processName"],
            "executable": line["executable"]["path"] or None, "start": date(event.process_start),
            "thread": {"id": line["hostThreadId"]}, "parent": {"pid": line["hostParentProcessId"]},
            "real_user": {"id": str(line["userId"])}})
        for path, key in (("process.entity_id", "processEntityId"), ("process.parent.entity_id", "parentEntityId")):
            put(said, path, str(line[key]) if line[key] else ...)
        put(said, "user.id", str(line["userId"]))
        if "target_uid" in args:
            put(said, "user.target.id", text(args["target_uid"]))
        put(said, "container.id", event.container)
        put(said, "container.name", event.named("name"))
        put(said, "container.runtime", known(event.runtime))
        put(said, "container.image.name", event.named("image"))
        put(said, "container.image.hash.all", event.named("imageDigest"))
        if "podName" in event.names:
            put(said, "orchestrator", {"type": "kubernetes"})
            put(said, "orchestrator.namespace", event.named("podNamespace"))
            put(said, "orchestrator.resource", {"type": "pod", "name": event.named("podName")})
            put(said, "orchestrator.resource.id", event.named("podUID"))
        put(said, "mrelease", {"lane": args["lane"], "cpu": line["processorId"],
                               "return_value": line["returnValue"], "compat": line["contextFlags"]["isCompat"],
                               "cgroup_id": str(line["cgroupId"])})
        if event.failed:
            put(said, "error.code", event.error)
    else:
        put(said, "event.start", date(args["from_ns"]))
        put(said, "event.end", date(args["to_ns"]))
    if event.about == "loss":
        put(said, "error.type", args["cause"])
        put(said, "mrelease.lost.cause", args["cause"])
    for key, name, kind in TARGET_ECS:
        if name in args:
            put(said, f"mrelease.target.{key}", None if args[name] is None else kind(args[name]))
    group = {"loss": "lost.", "sensor": "sensor."}.get(event.about, "")
    for name, value in event.rest(told).items():
        put(said, f"mrelease.{group}{name}", text(value) if name in AS_TEXT else value)
    if event.about == "sensor":
        del said["mrelease"]["sensor"]["what"]
    return said


# -- OCSF ------------------------------------------------------------------------------------------

CLASSES = {"request": (1003, "Kernel Activity", 4, "Invoke"), "release": (1004, "Memory Activity", 3, "Delete Page"),
           "lock": (1004, "Memory Activity", 99, "Lock Page"), "unlock": (1004, "Memory Activity", 99, "Unlock Page"),
           "loss": (1008, "Event Log Activity", 99, "Lost"), "sensor": (1008, "Event Log Activity", 99, "State")}
TARGET_OCSF = [("pid", "target_host_pid", int), ("namespace_pid", "target_pid", int), ("name", "target_name", str),
               ("path", "target_exe", str), ("user_uid", "target_uid", str), ("uid", "target_entity_id", str),
               ("container_uid", "target_container_id", str)]
WIDE = {"addr", "released_bytes", "anon_before", "anon_after", "file_before", "file_after", "shmem_before",
        "shmem_after", "swap_before", "swap_after", "locked_bytes", "pagetable_bytes", "error_bound_bytes",
        "duration_ns", "since_kill_ns", "locked_before_bytes", "locked_after_bytes", "memlock_limit_bytes",
        "by_cgroup", "events_so_far"}


def known(value):
    return ... if value is None else value


def small(value):
    return ... if value is None or value > I63 else value


def ocsf_process(said, where, event):
    line = event.line
    put(said, f"{where}.pid", line["hostProcessId"])
    put(said, f"{where}.namespace_pid", line["processId"])
    put(said, f"{where}.uid", str(line["processEntityId"]) if line["processEntityId"] else ...)
    put(said, f"{where}.name", line["processName"])
    put(said, f"{where}.path", line["executable"]["path"] or ...)


def ocsf(event):
    line, args, host = event.line, event.args, event.host
    number, name, activity, activity_name = CLASSES[event.about]
    said = {
        "class_uid": number, "class_name": name, "category_uid": 1, "category_name": "System Activity",
        "activity_id": activity, "activity_name": activity_name, "type_uid": number * 100 + activity,
        "severity_id": {"error": 3, "warning": 2}.get(event.severity(), 1), "time": ms(event.start),
        "message": event.message(), "status_id": {"success": 1, "failure": 2}.get(event.result, 0),
        "status": event.result.capitalize(),
        "metadata": {"version": "1.8.0", "product": {"name": "mrelease", "vendor_name": "mrelease",
                                                     "version": VERSION},
                     "event_code": event.name, "log_name": "mrelease", "profiles": ["container", "host"]},
        "device": {"type_id": 0, "hostname": host["name"] or "unknown", "os": {"name": "Linux", "type_id": 200}},
    }
    put(said, "metadata.uid", known(event.id))
    put(said, "device.uid", known(host["machine_id"]))
    put(said, "device.boot_uid", known(host["boot_id"]))
    put(said, "device.os.kernel_release", known(host["kernel"]))
    put(said, "unmapped.time_ns", str(event.start))
    told = {"seq", "lane", "outcome", "target_start_time", "target_cgroup_id"} | {key for _, key, _ in TARGET_OCSF}
    if event.is_call:
        put(said, "metadata.sequence", args["seq"])
        put(said, "start_time", ms(event.start))
        put(said, "end_time", ms(event.end))
        put(said, "duration", known(ms(event.duration)))
        put(said, "status_code", event.error or "0")
        put(said, "status_detail", ... if event.reason is None else event.reason)
        ocsf_process(said, "actor.process", event)
        put(said, "actor.process.created_time", ms(event.process_start))
        put(said, "actor.process.tid", line["hostThreadId"])
        put(said, "actor.process.user.uid", str(line["userId"]))
        put(said, "actor.process.container.uid", line["containerId"] or ...)
        put(said, "actor.process.container.name", event.named("name"))
        put(said, "actor.process.container.runtime", known(event.runtime))
        if "podName" in event.names:
            put(said, "actor.process.container.orchestrator", "kubernetes")
        put(said, "actor.process.container.pod_uuid", event.named("podUID"))
        put(said, "actor.process.parent_process.pid", line["hostParentProcessId"])
        put(said, "actor.process.parent_process.uid", str(line["parentEntityId"]) if line["parentEntityId"] else ...)
        put(said, "actor.user.uid", str(line["userId"]))
        put(said, "unmapped.duration_ns", text(event.duration))
        put(said, "unmapped.return_value", str(line["returnValue"]))
        put(said, "unmapped.cpu", line["processorId"])
        put(said, "unmapped.lane", args["lane"])
        put(said, "unmapped.compat", line["contextFlags"]["isCompat"])
        put(said, "unmapped.cgroup_id", str(line["cgroupId"]))
        put(said, "unmapped.outcome", args.get("outcome", ...))
        put(said, "unmapped.container.image", event.named("image"))
        put(said, "unmapped.container.image_digest", event.named("imageDigest"))
        put(said, "unmapped.pod.name", event.named("podName"))
        put(said, "unmapped.pod.namespace", event.named("podNamespace"))
        for key in ("start_ns", "cgroup_id"):
            field = {"start_ns": "target_start_time"}.get(key, f"target_{key}")
            if field in args:
                put(said, f"unmapped.target.{key}", text(args[field]))
        told.add("duration_ns")
        if "duration_ns" in args:
            assert args["duration_ns"] == event.duration
    if event.about == "request":
        put(said, "kernel", {"name": event.name, "type_id": 2, "system_call": line["syscall"]})
        for key, field, kind in TARGET_OCSF:
            if field in args:
                put(said, f"unmapped.target.{key}", None if args[field] is None else kind(args[field]))
    elif event.about == "release":
        for key, field, kind in TARGET_OCSF:
            value = args.get(field, ...)
            where = {"user_uid": "user.uid", "container_uid": "container.uid"}.get(key, key)
            if key == "uid" and value is None:
                put(said, "process.uid", "unknown")
            elif value is not ... and value is not None:
                put(said, f"process.{where}", kind(value))
        put(said, "process.created_time", known(ms(args["target_start_time"])))
        put(said, "size", small(args["released_bytes"]))
    elif event.is_call:
        ocsf_process(said, "process", event)
        if "len" in args:
            put(said, "base_address", str(args["addr"]))
            put(said, "size", small(args["len"]))
            put(said, "unmapped.len", str(args["len"]))
        told |= {"len", "addr"}
    else:
        put(said, "log_name", "mrelease")
        put(said, "log_provider", "mrelease")
        put(said, "start_time", known(ms(args["from_ns"])))
        put(said, "end_time", known(ms(args["to_ns"])))
        group = "lost" if event.about == "loss" else "sensor"
        for key in ("from_ns", "to_ns"):
            put(said, f"unmapped.{group}.{key}", text(args[key]))
        told |= {"from_ns", "to_ns", "what"}
        if event.about == "loss":
            put(said, "status_code", args["cause"])
            put(said, "count", small(args["count"]))
            put(said, "unmapped.lost.count", str(args["count"]))
            put(said, "unmapped.lost.cause", args["cause"])
            told |= {"cause", "count"}
        else:
            put(said, "status_detail", args["what"])
    group = {"loss": "lost.", "sensor": "sensor."}.get(event.about, "")
    for key, value in event.rest(told).items():
        put(said, f"unmapped.{group}{key}", text(value) if key in WIDE else value)
    return said


# -- CEF and LEEF ----------------------------------------------------------------------------------

TITLES = {"request": "A process asked to release the memory of a dying process",
          "release": "The memory of a dying process was released", "lock": "A process locked memory",
          "unlock": "A process unlocked memory", "loss": "Events were lost", "sensor": "The state of the sensor"}


def camel(name):
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def words(said):
    return {key: str(value) for key, value in said.items() if value is not None and value is not ...}


def cef(event):
    line, args = event.line, event.args
    said = {
        "externalId": event.id, "rt": ms(event.start), "dvchost": event.host["name"], "cat": "mrelease",
        "act": event.name, "outcome": event.result, "reason": event.reason, "cs3": event.start,
        "msg": event.message().encode("utf-8", "surrogateescape")[:1023].decode("utf-8", "ignore"),
        "start": ms(event.start if event.is_call else args["from_ns"]),
        "end": ms(event.end if event.is_call else args["to_ns"]),
    }
    told = {"outcome", "cause", "what", "target_host_pid", "target_exe", "target_uid", "released_bytes",
            "target_cgroup_id", "target_container_id", "from_ns", "to_ns", "event", "duration_ns"}
    if event.is_call:
        said |= {"spid": line["hostProcessId"], "sproc": line["executable"]["path"] or None, "suid": line["userId"],
                 "dpid": args.get("target_host_pid"), "dproc": args.get("target_exe"), "duid": args.get("target_uid"),
                 "cn1": line["returnValue"], "cn2": small(args.get("released_bytes")), "cn3": small(event.duration),
                 "cs1": line["containerId"] or None, "cs2": args.get("target_cgroup_id"), "cs4": event.error,
                 "cs5": args.get("target_container_id"), "cs6": line["cgroupId"],
                 "mreleaseProcessName": line["processName"], "mreleaseCpu": line["processorId"],
                 "mreleaseThread": line["hostThreadId"], "mreleaseParent": line["hostParentProcessId"],
                 "mreleaseContainerName": event.named("name"), "mreleaseContainerImage": event.named("image"),
                 "mreleasePodName": event.named("podName"), "mreleasePodNamespace": event.named("podNamespace")}
    elif event.about == "loss":
        said |= {"cnt": small(args["count"]), "cs1": args["event"]}
    said |= {camel(f"mrelease_{name}"): value for name, value in event.rest(told).items()}
    said = words(said)
    labels = {"cn1": "returnValue", "cn2": "releasedBytes", "cn3": "durationNs", "cs2": "targetCgroupId",
              "cs1": "containerId" if event.is_call else "lostEvent", "cs3": "timeNs", "cs4": "errno",
              "cs5": "targetContainerId", "cs6": "cgroupId"}
    said |= {f"{key}Label": label for key, label in labels.items() if key in said}
    severity = {"error": 7, "warning": 5, "notice": 3, "info": 1}[event.severity()]
    return ["CEF:0", "mrelease", "mrelease", VERSION, event.name, TITLES[event.about], str(severity)], said


def leef(event):
    line, args = event.line, event.args
    said = {"devTime": ms(event.start), "identHostName": event.host["name"], "cat": "mrelease",
            "sev": {"error": 7, "warning": 5, "notice": 3, "info": 1}[event.severity()], "result": event.result,
            "timeNs": event.start, "eventId": event.id, "msg": event.message()}
    told = {"outcome", "target_host_pid", "target_exe", "target_container_id", "event", "target_pid"}
    if event.is_call:
        said |= {"usrName": line["userId"], "pid": line["hostProcessId"], "proc": line["executable"]["path"] or None,
                 "processName": line["processName"], "thread": line["hostThreadId"],
                 "parent": line["hostParentProcessId"], "cpu": line["processorId"], "cgroupId": line["cgroupId"],
                 "containerId": line["containerId"] or None, "targetPid": args.get("target_host_pid"),
                 "targetProc": args.get("target_exe"), "targetContainerId": args.get("target_container_id"),
                 "targetNamespacePid": args.get("target_pid"), "outcome": args.get("outcome"),
                 "returnValue": line["returnValue"], "errno": event.error, "durationNs": event.duration,
                 "containerName": event.named("name"), "containerImage": event.named("image"),
                 "podName": event.named("podName"), "podNamespace": event.named("podNamespace")}
    elif event.about == "loss":
        said["lostEvent"] = args["event"]
    if "duration_ns" in args:
        told.add("duration_ns")
    said |= {camel(name): value for name, value in event.rest(told).items()}
    return ["LEEF:2.0", "mrelease", "mrelease", VERSION, event.name, "x09"], words(said)


# -- OTLP ------------------------------------------------------------------------------------------

SEVERITIES = {"error": (17, "ERROR"), "warning": (13, "WARN"), "notice": (9, "INFO"), "info": (5, "DEBUG")}


def otlp(event):
    """Time, observed time, severity, body, name, attributes. What is not known has an empty value: None."""
    line, args = event.line, event.args
    said = {"log.record.uid": event.id, "mrelease.event_code": int(line["eventId"]), "mrelease.result": event.result}
    told = {"target_start_time", "by_cgroup", "from_ns", "to_ns"} | {name for _, name, _ in TARGET_ECS}
    if event.is_call:
        path = line["executable"]["path"] or None
        said |= {"process.pid": line["hostProcessId"], "process.vpid": line["processId"],
                 "process.parent_pid": line["hostParentProcessId"], "process.creation.time": date(event.process_start),
                 "process.executable.path": path, "process.executable.name": path and path.rsplit("/", 1)[-1],
                 "process.real_user.id": line["userId"], "thread.id": line["hostThreadId"],
                 "thread.name": line["processName"], "mrelease.return_value": line["returnValue"],
                 "mrelease.call_duration_ns": event.duration, "mrelease.cpu": line["processorId"],
                 "mrelease.compat": line["contextFlags"]["isCompat"], "mrelease.thread_vid": line["threadId"],
                 "mrelease.parent_vpid": line["parentProcessId"], "mrelease.cgroup_id": str(line["cgroupId"]),
                 "mrelease.mount_namespace": line["mountNamespace"], "mrelease.pid_namespace": line["pidNamespace"],
                 "mrelease.uts_name": line["hostName"]}
        if event.error:
            said["error.type"] = event.error
        if event.container is not ...:
            said["container.id"] = event.container
        for key, name in (("container.name", "name"), ("container.image.name", "image"), ("k8s.pod.name", "podName"),
                          ("k8s.pod.uid", "podUID"), ("k8s.namespace.name", "podNamespace"),
                          ("mrelease.container_image_digest", "imageDigest")):
            if name in event.names:
                said[key] = event.names[name]
        if event.runtime:
            said["container.runtime.name"] = event.runtime
        for key, name in (("process", "processEntityId"), ("parent", "parentEntityId")):
            if line[name]:
                said[f"mrelease.{key}_entity_id"] = str(line[name])
    for key, name, kind in TARGET_ECS:
        if name in args:
            kind = int if name == "target_uid" else kind
            said[f"mrelease.target.{key}"] = None if args[name] is None else kind(args[name])
    group = {"loss": "lost.", "sensor": "sensor."}.get(event.about, "")
    for name in ("from_ns", "to_ns"):
        if name in args:
            said[f"mrelease.{group}{name}"] = date(args[name])
    if "by_cgroup" in args:
        said["mrelease.lost.by_cgroup"] = text(args["by_cgroup"])
    for name, value in event.rest(told).items():
        said[f"mrelease.{group}{name}"] = text(value) if name == "addr" or (isinstance(value, int) and value > I63) \
            else value
    return {"time": event.start, "observed": event.end, "severity": SEVERITIES[event.severity()],
            "body": event.message(), "name": f"mrelease.{event.name}", "attributes": said}
