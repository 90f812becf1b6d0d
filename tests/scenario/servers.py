"""Redis as its operators run it: primaries, replicas, Sentinel, Cluster, TLS; or Valkey."""
import atexit
import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from milter import verdict
from rig import RIGHT, WRONG, free_port, message, wait_for

KINDS = {'redis': 'redis-server', 'valkey': 'valkey-server'}


def family():
    """The servers that are installed here."""
    return [name for name, program in KINDS.items() if shutil.which(program)]


class Node:
    """One server on loopback, with a port of its own; its options are as in its configuration file."""

    def __init__(self, scratch, *options, sentinel='', kind='redis', port=None, password=None):
        self.port = port or free_port()
        self.dir = '%s/node-%d' % (scratch, self.port)
        os.makedirs(self.dir)
        self.conf, self.kind, self.password = self.dir + '/server.conf', kind, password
        self.sentinel = bool(sentinel)
        self.process = None
        with open(self.conf, 'w') as f:
            f.write('bind 127.0.0.1\nport %d\ndir %s\n%s' % (self.port, self.dir, sentinel or 'save ""\n'))
            f.write(''.join(o + '\n' for o in options))
        atexit.register(self.stop)

    @property
    def address(self):
        return '127.0.0.1:%d' % self.port

    def start(self):
        self.process = subprocess.Popen(
            [KINDS[self.kind], self.conf, *(['--sentinel'] if self.sentinel else [])],
            stdout=open(self.dir + '/log', 'ab'), stderr=subprocess.STDOUT)
        if not wait_for(lambda: self.cli('PING') in ('PONG', 'NOAUTH Authentication required.')):
            raise RuntimeError(open(self.dir + '/log').read())
        return self

    def cli(self, *args):
        login = ['-a', self.password, '--no-auth-warning'] if self.password else []
        done = subprocess.run(['redis-cli' if shutil.which('redis-cli') else 'valkey-cli', '-p', str(self.port), *login, *args],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.strip()

    def raw(self, *words):
        """One command of any bytes; the reply to it, if that is bytes or a number."""
        words = [w.encode() if isinstance(w, str) else w for w in words]
        with socket.create_connection(('127.0.0.1', self.port), 10) as s, s.makefile('rb') as f:
            s.sendall(b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(w), w) for w in words))
            line = f.readline().strip()
            return f.read(int(line[1:])) if line[:1] == b'$' and line != b'$-1' else line[1:]

    def info(self, section, name):
        for line in self.cli('INFO', section).splitlines():
            if line.startswith(name + ':'):
                return line.split(':', 1)[1].strip()
        return None

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process:
            self.thaw()
            self.process.kill()
            self.process.wait()
            self.process = None


class Wire:
    """A way to a server that can be cut: what is sent is lost, and nobody is told."""

    def __init__(self, address):
        host, _, port = address.rpartition(':')
        self.to, self.is_cut, self.ends = (host.strip('[]'), int(port)), False, []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(self.to)
            except OSError:
                near.close()
                continue
            self.ends += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    def pump(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                if not self.is_cut:
                    b.sendall(data)
        for end in (a, b):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.is_cut = True

    def heal(self):
        ends, self.ends, self.is_cut = self.ends, [], False
        for end in ends:  # what is lost is lost
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def sentinels(scratch, primary, n=3, after_ms=1000, kind='redis'):
    nodes = [Node(scratch, kind=kind, sentinel='''
sentinel monitor mapping 127.0.0.1 %d 2
sentinel down-after-milliseconds mapping %d
sentinel failover-timeout mapping 4000
''' % (primary.port, after_ms)).start() for _ in range(n)]
    wait_for(lambda: all(x.cli('SENTINEL', 'CKQUORUM', 'mapping').startswith('OK') for x in nodes), 30)
    return nodes


class Cluster:
    """Primaries and as many replicas, that agree."""

    def __init__(self, scratch, n=3, kind='redis'):
        self.nodes = [Node(scratch, 'cluster-enabled yes', 'cluster-node-timeout 1500', 'cluster-port %d' % free_port(),
                           kind=kind).start() for _ in range(2 * n)]
        out = self.tool('create', *(x.address for x in self.nodes), '--cluster-replicas', '1', '--cluster-yes')
        if not wait_for(lambda: all(x.info('cluster', 'cluster_enabled') == '1'
                                    and 'cluster_state:ok' in x.cli('CLUSTER', 'INFO') for x in self.nodes), 60):
            raise RuntimeError(out)
        wait_for(lambda: sum(x.info('replication', 'master_link_status') == 'up' for x in self.nodes) == n, 60)

    def tool(self, *args):
        return subprocess.run(['redis-cli' if shutil.which('redis-cli') else 'valkey-cli', '--cluster', *args],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout

    def alive(self):
        return [x for x in self.nodes if x.process]

    def primaries(self):
        return [x for x in self.alive() if x.info('replication', 'role') == 'master']

    def names(self):
        """Of the nodes, as they call themselves."""
        return {x.cli('CLUSTER', 'MYID'): x for x in self.alive()}

    def owner(self, slot):
        for line in self.alive()[0].cli('CLUSTER', 'NODES').splitlines():
            words = line.split()
            for span in words[8:]:
                if span[0] == '[' or 'fail' in words[2]:
                    continue
                first, _, last = span.partition('-')
                if int(first) <= slot <= int(last or first):
                    return next(x for x in self.nodes if x.port == int(words[1].split('@')[0].split(':')[1]))
        return None

    def slot(self, key):
        return int(self.alive()[0].cli('CLUSTER', 'KEYSLOT', key))

    def move(self, slot, to, pause=0):
        """A slot with its keys, slowly: its mail meets ASK and TRYAGAIN."""
        a = self.owner(slot)
        ids = {x.port: name for name, x in self.names().items()}
        to.cli('CLUSTER', 'SETSLOT', str(slot), 'IMPORTING', ids[a.port])
        a.cli('CLUSTER', 'SETSLOT', str(slot), 'MIGRATING', ids[to.port])
        while True:
            keys = a.cli('CLUSTER', 'GETKEYSINSLOT', str(slot), '100').split()
            if not keys:
                break
            a.cli('MIGRATE', '127.0.0.1', str(to.port), '', '0', '5000', 'KEYS', *keys)
            time.sleep(pause)
        for x in (to, a, *self.primaries()):
            x.cli('CLUSTER', 'SETSLOT', str(slot), 'NODE', ids[to.port])


class Certificates:
    """An authority, and a certificate for 127.0.0.1 and redis.seller.example."""

    def __init__(self, scratch):
        self.dir = scratch + '/certificates'
        os.makedirs(self.dir)
        run = lambda *a: subprocess.run(['openssl', *a], cwd=self.dir, check=True, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj',
            '/CN=authority')
        run('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=redis')
        with open(self.dir + '/names', 'w') as f:
            f.write('subjectAltName=DNS:redis.seller.example,IP:127.0.0.1\n')
        run('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out',
            'server.pem', '-days', '2', '-extfile', 'names')
        for path in glob.glob(self.dir + '/*'):
            os.chmod(path, 0o644)

    def options(self, port):
        return ['tls-port %d' % port, 'tls-auth-clients no', 'tls-cert-file %s/server.pem' % self.dir,
                'tls-key-file %s/server.key' % self.dir, 'tls-ca-cert-file %s/ca.pem' % self.dir]


class Traffic:
    """Right and wrong mail in turn, until it is stopped; what became of it is counted."""

    def __init__(self, missent, threads=2):
        self.missent, self.n, self.ending = missent, threads, threading.Event()
        self.lock, self.counts, self.bad = threading.Lock(), {}, []

    def run(self):
        i = 0
        while not self.ending.is_set():
            i += 1
            name, body, fine = ('wrong', WRONG, 'hold') if i % 2 else ('right', RIGHT, 'deliver')
            got = verdict(self.missent.socket, message(name, body), ['kunde@alpha.example'])
            with self.lock:
                self.counts[name, got] = self.counts.get((name, got), 0) + 1
                if got not in (fine, 'tempfail'):
                    self.bad.append((name, got))
            self.ending.wait(0.02 if got != 'tempfail' else 0.05)

    def __enter__(self):
        self.threads = [threading.Thread(target=self.run) for _ in range(self.n)]
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join()

    def total(self, *words):
        with self.lock:
            return sum(n for (_, got), n in self.counts.items() if got in words)
