"""Nobody's mail pays for another's: documents that are dear to read, reader processes that are killed and stopped,
descriptors that are used up, and systemd's watchdog."""
import os
import socket
import sys
import threading

from rig import *

sys.path.insert(0, SOURCE + '/tests/bench')
from traffic import Idle, Slow, connect, descriptors, nested_forms, packet

tap = Tap()
S = scratch_folder()
m = Missent(S, mapping=MAPPING)
m.reader = 'wait = 100s\n'
m.write_conf()
m.start()
LOAD = os.path.abspath(os.environ.get('BUILD', SOURCE)) + '/tests/bench/milterload'


def file(name, text):
    with open(S + '/' + name, 'w') as f:
        f.write(text)
    return S + '/' + name


def load(path, messages, connections=1):
    return [LOAD, '-S', m.socket, '-c', str(connections), '-n', str(messages), '-k', '1000000', '-f',
            'billing@seller.example', '-r', 'kunde@alpha.example', path]


def send(path, messages, connections=1):
    """(verdicts as the protocol has them, the slowest of them in ms)"""
    out = subprocess.run(load(path, messages, connections), stdout=subprocess.PIPE, text=True).stdout
    return dict(re.findall(r'\b([a-z]+)=(\d+)', out)), float(re.search(r'max ([0-9.]+)', out).group(1))


def supervisors():
    return [pid for pid in m.children() if proc_parent(pid) == m.process.pid]


def proc_parent(pid):
    with contextlib.suppress(OSError):
        with open('/proc/%d/stat' % pid) as f:
            return int(f.read().rsplit(')', 1)[1].split()[1])
    return 0


small = file('small.eml', message('small', RIGHT))
bomb = file('bomb.eml', message('bomb', nested_forms(), more=MIXED))
big = file('big.eml', message('big', RIGHT + 'lorem ipsum dolor sit amet consetetur 12345678 sadipscing elitr AB-99\n' * 60000))

# ---- dear documents ----
verdicts, alone = send(small, 50)
tap.same(verdicts, {'continue': '50'}, 'small clean mail is delivered')
others = subprocess.Popen(load(bomb, 20, 20), stdout=subprocess.DEVNULL)
time.sleep(0.5)
verdicts, beside = send(small, 20)
tap.same(verdicts, {'continue': '20'}, 'so it is beside twenty PDFs that would be drawn for minutes')
# A bound that holds on any machine; tests/bench/fairness has the figures.
tap.ok(beside < 3000 * SLOW * PATIENCE, '... none of it waits for one of them to end', '%s ms, %s ms alone' % (beside, alone))
others.kill()
others.wait()
m.stop()
m.start()

# ---- reader processes ----
before = set(supervisors())
result = []
threads = [threading.Thread(target=lambda: result.append(send(big, 3)[0])) for _ in range(3)]
for t in threads:
    t.start()
time.sleep(0.3)
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGKILL):
    for pid in supervisors():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    time.sleep(1)
for t in threads:
    t.join()
tap.same(result, [{'continue': '3'}] * 3, 'readers killed and stopped: what they had in hand is read again, and delivered')
tap.ok(wait_for(lambda: 'another was started' in m.tail(), 20), '... and the log says what happened', m.tail())
for pid in supervisors():
    os.kill(pid, signal.SIGSTOP)
mark = m.mark()
tap.ok(wait_for(lambda: 'did not answer' in m.tail(mark), 20), 'a stopped reader is noticed without any mail', m.tail(mark))
tap.same(send(small, 5)[0], {'continue': '5'}, '... and replaced')
m.stop()

# ---- descriptors ----
m.start(wrapper=('prlimit', '--nofile=96:96'))
first = set(supervisors())
sender = connect(m.socket)
idle = Idle(m.socket, 200)
tap.ok(0 < idle.count < 96, 'of 200 connections those are refused for which there is no descriptor', idle.count)
kept = descriptors(m.process.pid) if os.geteuid() == 0 else 0
tap.ok(kept < 80, '... and some are kept', kept)
sender.sendall(packet(b'C', b'localhost\x004\x04\xd2127.0.0.1\0') + packet(b'M', b'<billing@seller.example>\0')
               + packet(b'R', b'<kunde@alpha.example>\0'))
idle.kill()
tap.same(send(small, 5)[0], {'continue': '5'}, 'when others let go, mail is read')
tap.same(set(supervisors()), first, '... by the reader that was there all the time')
tap.ok(wait_for(lambda: 'connections refused=' in m.tail(), 20), '... and the log counts them', m.tail())
sender.close()
slow = Slow(m.socket, 10)
tap.same(send(small, 20)[0], {'continue': '20'}, 'beside clients that drip, mail is delivered')
slow.kill()
m.stop()

# ---- the watchdog ----
path = S + '/notify'
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
os.chmod(path, 0o777)
notify.settimeout(0.2)
os.environ.update(NOTIFY_SOCKET=path, WATCHDOG_USEC='3000000')
os.environ.pop('WATCHDOG_PID', None)


def fed(seconds):
    n, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(socket.timeout):
            n += notify.recv(4096).count(b'WATCHDOG=1')
    return n


m.start()
tap.ok(fed(6) >= 3, 'systemd is told that all is well')
os.rename(m.socket, m.socket + '.away')
mark = m.mark()
fed(3)
tap.same(fed(4), 0, '... and not, when nobody answers on the milter socket')
tap.ok('does not answer' in m.tail(mark), '... which the log says', m.tail(mark))
os.rename(m.socket + '.away', m.socket)
tap.ok(fed(5) >= 1, '... until somebody does')
del os.environ['NOTIFY_SOCKET'], os.environ['WATCHDOG_USEC']
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
