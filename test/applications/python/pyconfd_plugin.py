"""Renders a file from a key with pyconfd, again at each change.

    pyconfd_plugin.py KEY TEMPLATE TARGET URL URL
"""

import sys
from urllib.parse import urlsplit

import etcd
import gevent
from pyconfd.core import launch_plugins
from pyconfd.plugin import Plugin

key, template, target, *urls = sys.argv[1:]
hosts = tuple((url.hostname, url.port) for url in map(urlsplit, urls))
client = etcd.Client(host=hosts, allow_reconnect=True)


class Rendered(Plugin):
    src = template
    dest = target
    next_index = None

    def get(self):
        if self.next_index is not None:
            client.watch(key, index=self.next_index)
        read = client.read(key)
        self.next_index = read.etcd_index + 1
        return {"number": read.value}

    def sleep(self):
        """Does not wait: `get` waits for the next change."""


gevent.wait(launch_plugins([Rendered]))
