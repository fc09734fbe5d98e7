"""Drives python-etcd: python_etcd.py URL. lines.mjs describes the lines it reads and writes."""

import json
import sys
import threading
import time
from urllib.parse import urlparse

import etcd

# A watch that failed is continued after this time.
PAUSE_SECONDS = 0.2

url = urlparse(sys.argv[1])
client = etcd.Client(host=url.hostname, port=url.port)
printing = threading.Lock()


def say(**message):
    with printing:
        print(json.dumps(message), flush=True)


def perform(op, key, **rest):
    if op == "get":
        client.read(key)
    elif op == "add":
        client.write(key, rest["value"], append=True)
    elif op == "swap":
        client.test_and_set(key, rest["to"], rest["from"])
    elif op == "watch":
        threading.Thread(target=watch, args=(key,), daemon=True).start()
    else:
        raise ValueError(f"unknown operation {op}")


def watch(key):
    """The generator ends with an exception. A new one continues after the last event."""
    index = None
    while True:
        try:
            for event in client.eternal_watch(key, index=index, recursive=True):
                index = event.modifiedIndex + 1
                say(event=event.value)
        except Exception as error:
            say(notice="error", text=str(error))
            time.sleep(PAUSE_SECONDS)


def answer(id, **request):
    try:
        perform(**request)
        say(id=id)
    except Exception as error:
        say(id=id, error=str(error))


for line in sys.stdin:
    threading.Thread(target=answer, kwargs=json.loads(line), daemon=True).start()
