"""Uses the directory ETCD_MIGRATED with python-etcd; test/foreign/migrated.test.ts describes it."""

import os
import threading
import unittest
from urllib.parse import urlparse

import etcd

URL = urlparse(os.environ["ETCD_URL"])
ROOT = os.environ["ETCD_MIGRATED"]


class Migrated(unittest.TestCase):
    def setUp(self):
        self.client = etcd.Client(host=URL.hostname, port=URL.port, allow_reconnect=True)

    def test_migrated_tree(self):
        client, config = self.client, ROOT + "/config"
        self.next_change_is_told(config)

        read = client.read(config, quorum=True)
        swapped = client.test_and_set(config, "swapped", "set")
        with self.assertRaises(etcd.EtcdCompareFailed):
            client.test_and_set(config, "too late", "set")
        past = client.watch(config, index=read.modifiedIndex + 1)
        self.assertEqual(past.modifiedIndex, swapped.modifiedIndex)

        children = client.read(ROOT + "/list", sorted=True).leaves
        self.assertEqual([child.value for child in children], ["a", "b", "c"])
        self.assertEqual(client.delete(ROOT + "/list/b")._prev_node.value, "b")
        client.delete(ROOT + "/list", recursive=True)
        with self.assertRaises(etcd.EtcdKeyNotFound):
            client.read(ROOT + "/list/a")

        client.write(ROOT + "/queue", "second", append=True)
        queue = client.read(ROOT + "/queue", sorted=True).leaves
        self.assertEqual([item.value for item in queue], ["first", "second"])

        lease = ROOT + "/lease"
        self.assertTrue(3000 < client.read(lease).ttl <= 3600)
        refreshed = client.refresh(lease, ttl=2)
        expired = client.watch(lease, index=refreshed.modifiedIndex + 1, timeout=15)
        self.assertEqual(expired.action, "expire")

        with self.assertRaises(etcd.EtcdWatchTimedOut):
            client.watch(config, timeout=0.1)

    def next_change_is_told(self, key):
        """A watch without an index answers the next change."""
        seen = []
        watch = threading.Thread(target=lambda: seen.append(self.client.watch(key, timeout=15)))
        watch.start()
        writer = etcd.Client(host=URL.hostname, port=URL.port)
        while watch.is_alive():
            writer.set(key, "set")
            watch.join(0.05)
        self.assertEqual([event.value for event in seen], ["set"])


if __name__ == "__main__":
    unittest.main()
