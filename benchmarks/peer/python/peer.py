"""The system of Python's multiprocessing (start method "spawn"), with the arguments and the
output of the Go programs beside it."""

import json
import multiprocessing
import sys
import time

NAME = "Python multiprocessing"
MESSAGE = (1 << 60, "sixteen letters!", bytes(16))  # with its number about 64 bytes, pickled


def pattern(size):
    x, out = 1, bytearray()
    for _ in range(min(size, 4096)):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        out.append(x & 0xFF)
    return (bytes(out) * (size // len(out) + 1))[:size] if size else b""


def work(conn):
    """Echoes tuples, counts and checks messages, answers None with the tally."""
    got = bad = due = 0
    want = {}
    while True:
        try:
            m = conn.recv()
        except EOFError:
            return
        if m is None:
            conn.send((got, bad))
            got = bad = due = 0
            continue
        kind, seq, body = m
        if kind == "ping":
            conn.send(m)
            continue
        size = len(body)
        if body != MESSAGE and size not in want:
            want[size] = pattern(size)
        got += 1
        bad += seq < due or body != MESSAGE and body != want[size]
        due = max(due, seq + 1)


class Worker:
    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self.conn, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs,))
        self.process.start()
        theirs.close()
        self.call()

    def call(self):
        ping = ("ping", 0, MESSAGE)
        self.conn.send(ping)
        if self.conn.recv() != ping:
            raise RuntimeError("the echo is another message")

    def flood(self, n, size):
        body = MESSAGE if size == 64 else pattern(size)
        start = time.perf_counter()
        for i in range(n):
            self.conn.send(("tell", i, body))
        self.conn.send(None)
        got, bad = self.conn.recv()
        return got, bad, time.perf_counter() - start

    def close(self):
        self.process.kill()
        self.process.join()
        self.conn.close()


def figure(metric, unit, value, n, p99=0.0):
    return {"metric": metric, "unit": unit, "value": value, "p99": p99, "n": n}


def durations(metric, took):
    took.sort()
    return figure(metric, "µs", took[len(took) // 2] * 1e6, len(took), took[len(took) * 99 // 100] * 1e6)


def pings(pause, scale):
    worker = Worker()
    limit = (0.6, 0.12, 0.002)[scale]
    n = (100, 25, 2)[scale] if pause else 1_000_000
    for _ in range(50):
        worker.call()
    took, begin = [], time.perf_counter()
    while len(took) < n and (pause or not took or time.perf_counter() - begin < limit):
        time.sleep(pause) if pause else None
        start = time.perf_counter()
        worker.call()
        took.append(time.perf_counter() - start)
    worker.close()
    return [durations("p50", took)]


def flood(size, scale):
    worker = Worker()
    small = max((32 << 20, 8 << 20, 1 << 20)[scale] // (size + 1024), 1)
    took = worker.flood(small, size)[2]
    n = max(small, int(small * (0.6, 0.12, 0.002)[scale] / took))
    got, bad, took = worker.flood(n, size)
    worker.close()
    rate = got / took
    if size >= 1 << 20:
        figures = [figure("throughput", "MiB/s", rate * size / (1 << 20), n)]
    else:
        figures = [figure("rate", "msgs/s", rate, n)]
    if size == 1024:
        figures.append(figure("throughput", "MB/s", rate * size / 1e6, n))
    return figures + [figure("lost", "msgs", n - got + bad, n)]


def spawn(scale):
    took = []
    for _ in range((20, 5, 1)[scale]):
        start = time.perf_counter()
        worker = Worker()
        took.append(time.perf_counter() - start)
        worker.close()
    return [durations("p50", took)]


def field(path, key):
    with open(path) as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key))


def idle(scale):
    workers = [Worker() for _ in range((20, 20, 2)[scale])]
    time.sleep((2, 0.5, 0)[scale])
    pids = [w.process.pid for w in workers]
    sizes = sorted(field(f"/proc/{p}/smaps_rollup", "Pss:") * 1024 / 1e6 for p in pids)
    threads = max(field(f"/proc/{p}/status", "Threads:") for p in pids)
    for w in workers:
        w.close()
    return [
        figure("PSS", "MB", sizes[len(sizes) // 2], len(pids), sizes[-1]),
        figure("threads, most", "threads", threads, len(pids)),
    ]


BENCHES = {
    "ask_64b": lambda scale: pings(0, scale),
    "ask_64b_cold": lambda scale: pings(0.01, scale),
    "tell_64b": lambda scale: flood(64, scale),
    "tell_1k": lambda scale: flood(1 << 10, scale),
    "payload_1mib": lambda scale: flood(1 << 20, scale),
    "spawn_cold": spawn,
    "idle_pss": idle,
}


def main():
    if sys.argv[1:] == ["list"]:
        version = ".".join(map(str, sys.version_info[:3]))
        json.dump({"Systems": [NAME], "Can": {b: [NAME] for b in BENCHES}, "Modules": {"Python": version}}, sys.stdout)
    elif len(sys.argv) == 5 and sys.argv[1] == "round":
        json.dump(BENCHES[sys.argv[2]](int(sys.argv[4])), sys.stdout)
    else:
        sys.exit("this program is run by the one in the folders above")


if __name__ == "__main__":
    main()
