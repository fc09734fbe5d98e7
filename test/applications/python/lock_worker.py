"""Counts under python-etcd's lock: reads a number and writes the next one, without a comparison.

    lock_worker.py URL URL

Prints "counted N" for each number written. SIGUSR1: acquires the lock, prints "holding" and does
nothing more. SIGTERM: releases the lock and ends.
"""

import signal
import sys
import time
from urllib.parse import urlsplit

import etcd

COUNTER = "/counted"
LOCK_TTL = 10
# Nothing is written with a lock that may be over.
COUNT_WITHIN = 5
HOLD_TTL = 2

told = set()
for number in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, lambda received, _frame: told.add(received))

hosts = tuple((url.hostname, url.port) for url in map(urlsplit, sys.argv[1:]))
client = etcd.Client(host=hosts, allow_reconnect=True)

while signal.SIGTERM not in told:
    lock = etcd.Lock(client, "counter")
    began = time.monotonic()
    try:
        lock.acquire(lock_ttl=LOCK_TTL)
    except etcd.EtcdLockExpired:
        continue
    if signal.SIGUSR1 in told:
        lock.acquire(lock_ttl=HOLD_TTL)
        print("holding", flush=True)
        time.sleep(600)
    try:
        number = int(client.read(COUNTER, quorum=True).value)
    except etcd.EtcdKeyNotFound:
        number = 0
    if time.monotonic() - began < COUNT_WITHIN:
        client.write(COUNTER, number + 1)
        print("counted", number + 1, flush=True)
    lock.release()
