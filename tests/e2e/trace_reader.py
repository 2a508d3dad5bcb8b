"""Reads the Trace Event Format (JSON object format) and says what is wrong with it. Written from the format's description,
not from what writes it: required keys, times, slices that nest on their thread, flows whose ends lie in slices."""

PHASES = {"X", "M", "C", "s", "f"}
SLACK_US = 0.0015  # times are decimals of microseconds


class Slice:
    def __init__(self, event):
        self.name = event["name"]
        self.track = (event["pid"], event["tid"])
        self.start = event["ts"]
        self.end = event["ts"] + event["dur"]
        self.args = event.get("args", {})
        self.children = []


class Trace:
    def __init__(self, document):
        self.problems = []
        self.slices, self.flows, self.counters, self.names = [], {}, [], {}
        if not isinstance(document, dict) or not isinstance(document.get("traceEvents"), list):
            raise ValueError("not an object with a list of traceEvents")
        for index, event in enumerate(document["traceEvents"]):
            self._read(index, event)
        self.roots = self._nest()
        self._check_flows()

    def tracks(self, process):
        """{thread name: its slices in order of time} of a process."""
        pids = [pid for (kind, pid, _), name in self.names.items() if kind == "process_name" and name == process]
        found = {}
        for one in sorted(self.slices, key=lambda s: s.start):
            if one.track[0] in pids:
                found.setdefault(self.names.get(("thread_name", *one.track), "?"), []).append(one)
        return found

    def _read(self, index, event):
        kind = event.get("ph")
        if kind not in PHASES:
            self.problems.append(f"event {index}: phase {kind!r}")
            return
        required = {"name", "pid"}
        if kind == "M":
            if event.get("name") not in ("process_name", "thread_name") or "name" not in event.get("args", {}):
                self.problems.append(f"event {index}: metadata without a name")
                return
            self.names[(event["name"], event["pid"], event.get("tid"))] = event["args"]["name"]
            return
        required |= {"ts"} | ({"tid", "dur"} if kind == "X" else set()) | ({"tid", "id", "cat"} if kind in "sf" else set())
        missing = required - event.keys()
        if missing:
            self.problems.append(f"event {index} ({kind}): no {sorted(missing)}")
            return
        if not isinstance(event["ts"], (int, float)) or event["ts"] < 0:
            self.problems.append(f"event {index}: ts {event['ts']!r}")
        if kind == "X":
            if event["dur"] < 0:
                self.problems.append(f"event {index}: dur {event['dur']}")
            self.slices.append(Slice(event))
        elif kind == "C":
            if not all(isinstance(value, (int, float)) for value in event["args"].values()):
                self.problems.append(f"event {index}: a counter that is no number")
            self.counters.append(event)
        else:
            self.flows.setdefault((event["cat"], event["id"]), []).append(event)

    def _nest(self):
        """Slices of one thread either nest or do not touch."""
        roots, stacks = [], {}
        for one in sorted(self.slices, key=lambda s: (s.track, s.start, -s.end)):
            stack = stacks.setdefault(one.track, [])
            while stack and stack[-1].end <= one.start + SLACK_US and one.end > stack[-1].end + SLACK_US:
                stack.pop()
            while stack and stack[-1].end <= one.start and one.end > one.start:
                stack.pop()
            if stack and one.end > stack[-1].end + SLACK_US:
                self.problems.append(f"{one.name} [{one.start}, {one.end}] overlaps {stack[-1].name} "
                                     f"[{stack[-1].start}, {stack[-1].end}]")
            (stack[-1].children if stack else roots).append(one)
            stack.append(one)
        return roots

    def _check_flows(self):
        for key, ends in self.flows.items():
            kinds = [end["ph"] for end in ends]
            if sorted(kinds) != ["f", "s"]:
                self.problems.append(f"flow {key}: ends {kinds}")
                continue
            start, finish = sorted(ends, key=lambda end: end["ph"] == "f")
            if finish["ts"] < start["ts"]:
                self.problems.append(f"flow {key} goes back in time")
            for end in ends:
                if not self.slices_at(end):
                    self.problems.append(f"flow {key}: no slice under its {end['ph']}")

    def slices_at(self, event):
        track = (event["pid"], event["tid"])
        return [one for one in self.slices
                if one.track == track and one.start - SLACK_US <= event["ts"] <= one.end + SLACK_US]
