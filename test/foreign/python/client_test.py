"""Drives python-etcd against the server at ETCD_URL."""

import logging
import os
import threading
import time
import unittest
from urllib.parse import urlparse

import etcd
from etcd.auth import Auth, EtcdRole, EtcdUser

URL = urlparse(os.environ["ETCD_URL"])
logging.disable()


def connect(**options):
    return etcd.Client(host=URL.hostname, port=URL.port, **options)


class Keys(unittest.TestCase):
    def setUp(self):
        self.client = connect()

    def test_keys_are_written_read_and_deleted(self):
        value = 'größer & 100 % + <b>\n"'
        written = self.client.write("/k/a", value)
        self.assertEqual((written.action, written.key, written.newKey), ("set", "/k/a", True))
        read = self.client.read("/k/a", quorum=True)
        self.assertEqual((read.value, read.modifiedIndex), (value, written.modifiedIndex))
        self.assertGreaterEqual(read.etcd_index, written.modifiedIndex)
        self.assertGreater(read.raft_index, 1)
        self.assertIn("/k/a", self.client)
        self.assertEqual(self.client.pop("/k/a").value, value)
        self.assertNotIn("/k/a", self.client)

    def test_keys_are_updated(self):
        self.client.set("/k/b", "1")
        node = self.client.get("/k/b")
        node.value = "2"
        self.assertEqual(self.client.update(node).action, "compareAndSwap")
        node.value = "3"
        with self.assertRaises(etcd.EtcdCompareFailed):
            self.client.update(node)
        self.assertEqual(self.client.get("/k/b").value, "2")

    def test_keys_are_swapped_and_deleted_on_condition(self):
        index = self.client.set("/k/c", "1").modifiedIndex
        with self.assertRaises(etcd.EtcdCompareFailed):
            self.client.test_and_set("/k/c", "2", "9")
        swapped = self.client.test_and_set("/k/c", "2", "1")
        self.assertEqual(swapped._prev_node.value, "1")
        with self.assertRaises(etcd.EtcdCompareFailed):
            self.client.delete("/k/c", prevIndex=index)
        self.client.delete("/k/c", prevIndex=swapped.modifiedIndex, prevValue="2")
        with self.assertRaises(etcd.EtcdKeyNotFound):
            self.client.write("/k/c", "1", prevExist=True)
        self.client.write("/k/c", "1", prevExist=False)
        with self.assertRaises(etcd.EtcdAlreadyExist):
            self.client.write("/k/c", "2", prevExist=False)

    def test_keys_are_appended_in_order(self):
        for value in ("first", "second"):
            self.client.write("/queue", value, append=True)
        queue = self.client.read("/queue", sorted=True, recursive=True)
        self.assertEqual([leaf.value for leaf in queue.leaves], ["first", "second"])

    def test_keys_expire(self):
        node = self.client.set("/k/ttl", "1", ttl=1)
        self.assertEqual(node.ttl, 1)
        self.assertRegex(node.expiration, "^20.*Z$")
        expired = self.client.watch("/k/ttl", index=node.modifiedIndex + 1, timeout=10)
        self.assertEqual((expired.action, expired._prev_node.value), ("expire", "1"))
        self.assertNotIn("/k/ttl", self.client)

    def test_keys_are_refreshed(self):
        self.client.set("/k/refreshed", "1", ttl=50)
        refreshed = self.client.refresh("/k/refreshed", ttl=100)
        self.assertEqual((refreshed.value, refreshed.ttl), ("1", 100))

    def test_directories_hold_keys(self):
        self.assertTrue(self.client.write("/d/made", None, dir=True).dir)
        self.client.write("/d/made/sub/x", "1")
        self.client.write("/d/made/b", "2")
        tree = self.client.read("/d/made", recursive=True, sorted=True)
        keys = [node.key for node in tree.get_subtree()]
        self.assertEqual(keys, ["/d/made", "/d/made/b", "/d/made/sub", "/d/made/sub/x"])
        with self.assertRaises(etcd.EtcdNotFile):
            self.client.write("/d/made", "1")
        with self.assertRaises(etcd.EtcdNotDir):
            self.client.write("/d/made/b/below", "1")
        with self.assertRaises(etcd.EtcdDirNotEmpty):
            self.client.delete("/d/made", dir=True)
        self.assertEqual(self.client.delete("/d/made", recursive=True).action, "delete")

    def test_errors_are_those_of_etcd(self):
        with self.assertRaises(etcd.EtcdKeyNotFound) as raised:
            self.client.get("/none")
        payload = raised.exception.payload
        self.assertEqual(raised.exception.args, ("Key not found : /none",))
        self.assertEqual((payload["errorCode"], payload["status"]), (100, 404))
        self.assertEqual((payload["message"], payload["cause"]), ("Key not found", "/none"))
        with self.assertRaises(etcd.EtcdRootReadOnly):
            self.client.delete("/", recursive=True)
        with self.assertRaises(etcd.EtcdValueError):
            self.client.write("/k/a", "1", ttl="soon")


class Watches(unittest.TestCase):
    def setUp(self):
        self.client = connect()

    def test_watches_show_changes_of_the_past(self):
        index = self.client.set("/w/past", "1").modifiedIndex
        self.client.set("/w/past", "2")
        self.assertEqual(self.client.watch("/w/past", index=index).value, "1")
        below = self.client.watch("/w", index=index + 1, recursive=True)
        self.assertEqual((below.key, below.value), ("/w/past", "2"))

    def test_watches_wait_for_changes(self):
        index = self.client.set("/w/coming", "0").modifiedIndex
        writer = threading.Timer(0.1, lambda: connect().set("/w/coming", "1"))
        writer.start()
        self.assertEqual(self.client.watch("/w/coming", index=index + 1, timeout=10).value, "1")
        writer.join()

    def test_watches_time_out(self):
        with self.assertRaises(etcd.EtcdWatchTimedOut):
            self.client.watch("/w/quiet", timeout=0.1)

    def test_eternal_watches_go_on(self):
        index = self.client.set("/w/eternal", "0").modifiedIndex
        for value in ("1", "2", "3"):
            self.client.set("/w/eternal", value)
        events = self.client.eternal_watch("/w/eternal", index=index)
        self.assertEqual([next(events).value for _ in range(4)], ["0", "1", "2", "3"])

    def test_watches_are_refused_what_is_forgotten(self):
        index = self.client.set("/w/forgotten", "0").modifiedIndex
        for _ in range(1100):
            self.client.set("/filling", "")
        with self.assertRaises(etcd.EtcdEventIndexCleared) as raised:
            self.client.watch("/w/forgotten", index=index)
        self.assertGreater(raised.exception.payload["index"], index + 1000)


class Locks(unittest.TestCase):
    def test_locks_are_held_by_one(self):
        first, second = (etcd.Lock(connect(), "one") for _ in range(2))
        self.assertTrue(first.acquire(lock_ttl=60))
        self.assertTrue(first.is_acquired)
        self.assertFalse(second.acquire(blocking=False, lock_ttl=60))
        first.release()
        self.assertFalse(first.is_acquired)
        self.assertTrue(second.acquire(timeout=10))
        second.release()

    def test_locks_are_waited_for(self):
        first, second = (etcd.Lock(connect(), "waited") for _ in range(2))
        self.assertTrue(first.acquire(lock_ttl=60))
        releaser = threading.Timer(0.2, first.release)
        releaser.start()
        self.assertTrue(second.acquire(lock_ttl=60, timeout=10))
        releaser.join()
        self.assertFalse(first.is_acquired)
        second.release()

    def test_locks_are_lost_with_their_time(self):
        first, second = (etcd.Lock(connect(), "lost") for _ in range(2))
        first.acquire(lock_ttl=1)
        self.assertTrue(second.acquire(lock_ttl=60, timeout=10))
        self.assertFalse(first.is_acquired)
        second.release()

    def test_locks_guard_a_block(self):
        most, inside = [0], []

        def work():
            with etcd.Lock(connect(), "block"):
                inside.append(1)
                most[0] = max(most[0], len(inside))
                time.sleep(0.01)
                inside.pop()

        workers = [threading.Thread(target=work) for _ in range(5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(most, [1])


class Cluster(unittest.TestCase):
    def test_cluster_names_its_machines_members_and_leader(self):
        client = connect()
        self.assertEqual(client.machines, [URL.geturl()])
        [(member_id, member)] = client.members.items()
        self.assertEqual((member["id"], member["clientURLs"]), (member_id, [URL.geturl()]))
        self.assertEqual(client.leader, member)
        self.assertEqual(client.stats["id"], member_id)
        self.assertEqual(client.leader_stats, {"leader": member_id, "followers": {}})
        self.assertIn("setsSuccess", client.store_stats)
        self.assertRegex(client.version, r"^3\.4\.")
        self.assertEqual(client.cluster_version, "3.4.0")

    def test_cluster_is_one_and_the_same(self):
        client = connect(allow_reconnect=True)
        client.set("/cluster", "1")
        expected = client.expected_cluster_id
        self.assertRegex(expected, "^[0-9a-f]+$")
        connect(expected_cluster_id=expected).get("/cluster")
        with self.assertRaises(etcd.EtcdClusterIdChanged):
            connect(expected_cluster_id="beef").get("/cluster")


class Authentication(unittest.TestCase):
    def test_auth_is_enforced(self):
        nobody, root = connect(), connect(username="root", password="secret")
        role = EtcdRole(nobody, "reader")
        role.grant("/secret/*", "RW")
        role.write()
        role.revoke("/secret/*", "W")
        role.write()
        role.read()
        self.assertEqual(role.acls, {"/secret/*": "R"})
        for name, roles in (("root", ()), ("alice", ("reader",))):
            user = EtcdUser(nobody, name)
            user.password = "secret"
            user.roles = roles
            user.write()
        self.assertEqual(Auth(nobody).active, False)
        Auth(nobody).active = True
        try:
            self.enforced(nobody, root)
        finally:
            Auth(root).active = False
        self.assertEqual(Auth(nobody).active, False)

    def enforced(self, nobody, root):
        self.assertEqual(Auth(nobody).active, True)
        EtcdRole(root, "guest").delete()
        root.set("/secret/x", "1")
        alice = connect(username="alice", password="secret")
        self.assertEqual(alice.get("/secret/x").value, "1")
        mistaken = connect(username="alice", password="wrong")
        for refused in (
            lambda: alice.set("/secret/x", "2"),
            lambda: mistaken.get("/secret/x"),
            lambda: nobody.get("/secret/x"),
            lambda: EtcdUser(nobody, "alice").read(),
            lambda: EtcdUser(alice, "alice").delete(),
        ):
            self.assertRaises(etcd.EtcdInsufficientPermissions, refused)
        EtcdUser(root, "alice").delete()
        self.assertRaises(etcd.EtcdKeyNotFound, EtcdUser(root, "alice").read)


if __name__ == "__main__":
    unittest.main()
