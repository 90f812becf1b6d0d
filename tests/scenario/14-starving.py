"""Nobody's mail pays for another's: documents that are dear to read, reader processes that are killed and stopped,
descriptors and memory that are used up, and systemd's watchdog."""
import os
import signal
import socket
import sys
import threading

import rig
from rig import *

# The kernel counts descriptors on their way by user, and holds them against the sender's own limit: those of
# scenarios beside this one are not its.
rig.USER = 'games'

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
    out = subprocess.run(load(path, messages, connections), stdout=subprocess.PIPE, text=True, timeout=200 * SLOW).stdout
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
before, result, waiting = set(supervisors()), [], []
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGKILL):
    # A message that is read a second time has a reader of its own; if that one dies too, it is held: once for each.
    threads = [threading.Thread(target=lambda: result.append(send(big, 1)[0])) for _ in range(3)]
    for t in threads:
        t.start()
    time.sleep(0.3)
    waiting.append(sum(t.is_alive() for t in threads))
    for pid in supervisors():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    for t in threads:
        t.join()
    wait_for(lambda: len(supervisors()) == len(before), 20)
tap.same(result, [{'continue': '1'}] * 9, 'readers killed and stopped: what they had in hand is read again, and delivered')
tap.ok(all(waiting), '... and there was some in hand each time', waiting)
tap.ok(wait_for(lambda: 'another was started' in m.tail(), 20), '... and the log says what happened', m.tail())
for pid in supervisors():
    os.kill(pid, signal.SIGSTOP)
mark = m.mark()
tap.ok(wait_for(lambda: 'did not answer' in m.tail(mark), 20), 'a stopped reader is noticed without any mail', m.tail(mark))
tap.same(send(small, 5)[0], {'continue': '5'}, '... and replaced')
m.stop()

# ---- descriptors ----
m.start(wrapper=('prlimit', '--nofile=120:120'))
first = set(supervisors())
sender = connect(m.socket)
idle = Idle(m.socket, 200)
tap.ok(0 < idle.count < 120, 'of 200 connections those are refused for which there is no descriptor', idle.count)
kept = descriptors(m.process.pid) if os.geteuid() == 0 else 0
tap.ok(kept < 100, '... and some are kept', kept)
sender.sendall(packet(b'C', b'localhost\x004\x04\xd2127.0.0.1\0') + packet(b'M', b'<billing@seller.example>\0')
               + packet(b'R', b'<kunde@alpha.example>\0'))
idle.kill()
wait_for(lambda: os.geteuid() != 0 or descriptors(m.process.pid) < 50, 20)


def is_taken():
    """Those that had let go before they were accepted are accepted, and closed, still."""
    with contextlib.suppress(AttributeError):  # no verdict at all
        return send(small, 1)[0] == {'continue': '1'}
    return False


wait_for(is_taken, 20)
tap.same(send(small, 5)[0], {'continue': '5'}, 'when others let go, mail is read')
tap.same(set(supervisors()), first, '... by the reader that was there all the time')
tap.ok(wait_for(lambda: 'connections refused=' in m.tail(), 20), '... and the log counts them', m.tail())
sender.close()
slow = Slow(m.socket, 10)
mark, verdicts = m.mark(), send(small, 20)[0]
tap.ok(verdicts == {'continue': '20'}, 'beside clients that drip, mail is delivered', '%s\n%s' % (verdicts, m.tail(mark)))
slow.kill()
m.stop()

# No start that lacks descriptors is taken for one with wrong settings (78): after that systemd starts it no more.
codes = {}
for n in range(4, 40, 2):
    done = subprocess.Popen(['prlimit', '--nofile=%d:%d' % (n, n), BUILD + '/missentd', '-c', m.conf],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        codes[n] = done.wait(3 * SLOW)
    done.kill()
    done.wait()
    if n not in codes:
        break
tap.ok(len(codes) > 2 and 78 not in codes.values(), 'a start without descriptors may be tried again', codes)

# ---- files that may not grow ----
m.start(wrapper=('prlimit', '--fsize=3000000'))
tap.same(send(big, 2)[0], {'tempfail': '2'}, 'a message larger than a file may be is tried again')
tap.same(send(small, 5)[0], {'continue': '5'}, '... and nobody else pays for it')
tap.same(m.stop(), 0, '... nor does missentd')

# ---- limits below those of workers ----
for limit in (['--cpu=3'] if SLOW > 1 else ['--cpu=3', '--as=300000000']):
    done = subprocess.run(['prlimit', limit, 'setpriv', '--reuid', rig.USER, '--regid', 'nogroup', '--clear-groups', BUILD + '/missent',
                           '-c', m.conf, 'check', '--to', 'kunde@alpha.example', small], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 0 and 'deliver' in done.stdout, 'under prlimit %s mail is read' % limit, done)

# ---- what a control group takes ----
def control_group(controller, settings, old_settings):
    """What to start a program with so that it and its children are in a group with these, and its folder; or why that
    cannot be."""
    old, new = '/sys/fs/cgroup/' + controller, '/sys/fs/cgroup'
    if os.geteuid() != 0:
        return None, 'only root can make control groups'
    if os.path.exists(old + '/tasks'):
        parent, settings = old, old_settings
    elif os.path.exists(new + '/cgroup.subtree_control'):
        with contextlib.suppress(OSError), open(new + '/cgroup.subtree_control', 'w') as f:
            f.write('+' + controller)
        parent = new
    else:
        return None, 'there are no control groups of ' + controller
    folder = '%s/missent-scenario-%d-%s' % (parent, os.getpid(), controller)
    try:
        os.makedirs(folder, exist_ok=True)
        for name, value in settings.items():
            set_group(folder, name, value)
    except OSError as e:
        return None, 'a control group of %s cannot be made: %s' % (controller, e)
    atexit.register(lambda: wait_for(lambda: not open(folder + '/cgroup.procs').read(), 10) and os.rmdir(folder))
    return ('sh', '-c', 'echo $$ > %s/cgroup.procs && exec "$@"' % folder, 'sh'), folder


def set_group(folder, name, value):
    with open(folder + '/' + name, 'w') as f:
        f.write(str(value))


def in_group(folder, name):
    with open(folder + '/' + name) as f:
        return int(re.search(r'\d+', f.read()).group())


# ---- threads ----
wrapper, group = control_group('pids', {}, {})
if wrapper is None:
    tap.skip('a connection without a thread is told at once', group)
else:
    m.start(wrapper=wrapper)
    send(small, 5)
    before, mark, codes = descriptors(m.process.pid), m.mark(), []
    for more in (1, 2, 3, 8):
        set_group(group, 'pids.max', in_group(group, 'pids.current') + more)
        began = time.monotonic()
        codes.append(send(small, 40, 20)[0])
        tap.ok(time.monotonic() - began < 10 * SLOW * PATIENCE, 'with room for %d more threads no MTA waits for long' % more, codes)
        set_group(group, 'pids.max', 'max')
        tap.same(send(small, 5)[0], {'continue': '5'}, '... and mail is judged when there are threads again')
    tap.ok(all(set(c) <= {'continue', 'none', 'tempfail'} for c in codes), '... whose connection was closed tries again', codes)
    tap.ok(wait_for(lambda: 'no thread can be made' in m.tail(mark), 20), '... and the log counts them', m.tail(mark))
    tap.ok(wait_for(lambda: descriptors(m.process.pid) <= before + 1), '... and their descriptors come back',
           '%d before, %d' % (before, descriptors(m.process.pid)))
    m.stop()

# ---- memory ----
if SLOW > 1:
    wrapper, group = None, 'under sanitizers a program needs more than such a limit from the start'
else:
    wrapper, group = control_group('memory', {'memory.max': 130 << 20, 'memory.swap.max': 0}, {'memory.limit_in_bytes': 130 << 20})
if wrapper is None:
    tap.skip('a reader over the memory of the service costs its message alone', group)
else:
    m.reader = 'wait = 100s\nmax-memory = 4G\nmax-text = 200M\n'
    m.write_conf()
    m.start(wrapper=wrapper)
    daemon, first = m.process.pid, set(supervisors())
    huge = file('huge.eml', message('huge', RIGHT + 'lorem ipsum dolor sit amet 12345678 AB-99 x@y.example\n' * 450000))
    mark, result = m.mark(), []
    thread = threading.Thread(target=lambda: result.append(send(huge, 1)[0]))
    thread.start()
    small_mail = [{'continue': '5'}]
    while thread.is_alive() and small_mail[-1] == {'continue': '5'}:
        small_mail.append(send(small, 5)[0])
    thread.join()
    with open(group + ('/memory.events' if os.path.exists(group + '/memory.events') else '/memory.oom_control')) as f:
        killed = int(re.search(r'^oom_kill (\d+)', f.read(), re.M).group(1))
    tap.ok(killed > 0, 'a reader takes more memory than the service may have, and the kernel kills it', killed)
    tap.same(small_mail, [{'continue': '5'}] * len(small_mail), '... mail of others is delivered meanwhile')
    tap.ok(result and 'continue' not in result[0], '... its message is not taken for read', result)
    tap.ok('action=hold' in m.tail(mark) and 'unreadable' in m.tail(mark), '... but for unreadable', m.tail(mark))
    tap.same((m.process.poll(), m.process.pid), (None, daemon), '... and missentd goes on')
    tap.same(send(small, 5)[0], {'continue': '5'}, '... with a reader')
    m.stop()
    m.reader = 'wait = 100s\n'
    m.write_conf()

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
m.stop()
m.write_conf('desk { socket = "%s/agent.sock" }\n' % S)
agent = Program(m, 'missent-agent', '-r').start()
fed(1)
tap.ok(fed(6) >= 3, '... of the agent, too')
agent.process.send_signal(signal.SIGSTOP)
fed(2)
tap.same(fed(3), 0, '... and not, when its door does not come round')
agent.process.send_signal(signal.SIGCONT)
tap.same(agent.stop(), 0, '... which ends when it is to')
m.start()
del os.environ['NOTIFY_SOCKET'], os.environ['WATCHDOG_USEC']

# ---- a socket that was taken away, and another who has it since ----
first = m.process
os.unlink(m.socket)
m.start()
first.terminate()
first.wait()
tap.same(send(small, 1)[0], {'continue': '1'}, 'one that ends leaves its successor the socket')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.ok(not os.path.exists(m.socket), '... and takes away its own')
tap.done()
