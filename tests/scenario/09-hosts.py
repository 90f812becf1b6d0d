"""Two mail hosts, one page: what each holds is on it, what is decided on it is done where the message
is, once, also by a host that was away meanwhile; and Redis, which carries it, learns nothing."""
import threading
import urllib.parse
import urllib.request

from rig import *

tap = Tap()
if os.geteuid() != 0:
    tap.skip('two hosts', 'Postfix starts only as root')
    tap.done()
S = scratch_folder()
r = Redis(S)
tap.ok(r.start(), 'Redis starts')
KEY = S + '/shared.key'
PORT = free_port()
SITE = 'http://127.0.0.1:%d' % PORT
DIRECTORY = 'redis = "unix:%s"\nredis-prefix = "t"\n' % r.socket


class Host:
    def __init__(self, name):
        self.name = name
        os.makedirs(S + '/' + name)
        os.chmod(S + '/' + name, 0o755)
        self.m = Missent(S + '/' + name, policies=POLICY, mapping=MAPPING, directory=DIRECTORY, host=name)
        self.m.start()
        self.p = Postfix(S + '/' + name, 'unix:' + self.m.socket)
        self.p.start()
        self.configure()
        self.agent = Program(self.m, 'missent-agent', '-r')

    def configure(self, more='two-person-above = 4\n', port=None):
        self.m.more = self.p.settings() + self.p.desk('key-file = "%s"\n%s' % (KEY, more), port)
        self.m.write_conf()

    def hold(self, subject, to=('kunde@alpha.example',)):
        name = queue_id(self.p.send(message(subject, WRONG), to=to))
        wait_for(lambda: name in self.p.held())
        return name

    def record(self, name):
        return json.loads(self.m.tool('held', 'show', '--json', name))


class Page:
    """A reviewer without a browser."""

    def __init__(self):
        self.jar = urllib.request.HTTPCookieProcessor()
        self.open = urllib.request.build_opener(self.jar).open
        self.token = ''

    def get(self, path, data=None):
        if data is not None:
            data = urllib.parse.urlencode({'token': self.token, **data}, doseq=True).encode()
        with self.open(SITE + path, data, timeout=60) as reply:
            text = reply.read().decode()
        if 'name="token" value="' in text:
            self.token = text.split('name="token" value="')[1].split('"')[0]
        return text


m = Missent(S, host='review.seller.example', directory=DIRECTORY)
m.tool('review', 'key', KEY)
one, two = Host('mx1.seller.example'), Host('mx2.seller.example')
m.more = 'desk { key-file = "%s"\nsocket = "%s/agent.sock"\nsocket-group = "daemon" }\nreview {\nlisten = "127.0.0.1:%d"\nuser = "daemon"\nall-hosts = yes\n}\n' % (KEY, S, PORT)
m.write_conf()
subprocess.run(['chgrp', 'daemon', m.state])
os.chmod(m.state, 0o750)
os.chmod(m.dir, 0o755)
for who in ('anna', 'bert'):
    m.tool('review', 'adduser', who, stdin=who + "'s-password\n")
before = one.hold('held before')  # before anything of the review runs
one.agent.start()
two.agent.start()
middle = Program(m, 'missent-agent', '-r').start()
wait_for(lambda: os.path.exists(m.state + '/held-everywhere.db'))
subprocess.run('chgrp daemon %s/held-everywhere.db*' % m.state, shell=True)
page = Program(m, 'missent-review').start()
anna = Page()
anna.get('/login')
anna.get('/login', {'name': 'anna', 'password': "anna's-password"})
tap.ok(wait_for(lambda: before in anna.get('/')), 'what was held before is on the page')
a, b = one.hold('on one'), two.hold('on two')
tap.ok(wait_for(lambda: all(x in anna.get('/') for x in (a, b))), 'what two hosts hold is on one page')
text = anna.get('/hosts')
tap.ok('mx1.seller.example' in text and 'mx2.seller.example' in text and text.count('>up<') == 3, 'both hosts are up', text)
tap.ok(b in anna.get('/?host=mx2.seller.example') and a not in anna.get('/?host=mx2.seller.example'), 'a filter by host')

# ---- asked here, done there ----
uid = two.record(b)['uid']
text = anna.get('/message/%s/reveal' % uid, {})
tap.ok('C-10002' in text, 'evidence comes from the host that holds it')
text = anna.get('/message/' + uid, {'verb': 'release', 'why': 'fine', 'others': '1'})
tap.ok('Done.' in text, 'a decision on the page', text)
two.p.flush()
tap.same(two.p.arrived('on two'), 1, '... is done on its host')
tap.ok(wait_for(lambda: 'released' in anna.get('/message/' + uid)), '... and the page learns of it')
tap.ok(two.record(b)['acts'][-1]['who'] == 'anna', '... as does its record')

# ---- a host that is away ----
two.agent.stop()
c = two.hold('while away')
uid = two.record(c)['uid']
two.agent.start()
wait_for(lambda: c in anna.get('/'))
two.agent.kill()
text = anna.get('/message/' + uid, {'verb': 'release', 'why': 'later', 'others': '1'})
tap.ok('waits until it does' in text and c in two.p.held(), 'a host that is down: its decisions wait', text)
tap.ok(wait_for(lambda: 'decisions wait' in anna.get('/hosts'), 40, 1), '... and the page shows that it is down')
two.agent.start()
tap.ok(wait_for(lambda: two.record(c)['state'] == 'released', 30), '... back again, it does what was asked')
two.p.flush()
tap.same(two.p.arrived('while away'), 1, '... once')

# ---- replayed, forged, read ----
anna.get('/message/' + uid, {'verb': 'note', 'why': 'once'})
stream = 't:desk:mx2.seller.example'
entries = r.cli('XRANGE', stream, '-', '+').split('\n')
sealed = [entries[i + 1] for i, x in enumerate(entries) if x == 'ask']
replies = r.cli('KEYS', 't:reply:*')
r.cli('XADD', 't:desk:mx1.seller.example', '*', 'ask', sealed[-1])
time.sleep(2)
tap.same(r.cli('KEYS', 't:reply:*'), replies, 'a request for another host is not even answered')
for value in sealed:
    r.cli('XADD', stream, '*', 'ask', value)
r.cli('XADD', stream, '*', 'ask', json.dumps({'host': two.name, 'id': 'x', 'ask': '{"do":"decide"}'}))
d = one.hold('never asked')
time.sleep(3)
tap.ok(wait_for(lambda: '0' == r.cli('XPENDING', stream, 'agent').split('\n')[0]), 'every entry was taken')
acts = [x['what'] for x in two.record(c)['acts']]
tap.ok(acts.count('release') == 1 and acts.count('note') == 1, 'a replayed request is not done again', acts)
tap.ok(d in one.p.held() and one.record(d)['state'] == 'held', 'one that is not sealed is nobody\'s')
everything = ''
for key in r.cli('KEYS', 't:*').split('\n'):
    kind = r.cli('TYPE', key)
    everything += key + r.cli(*({'stream': ('XRANGE', key, '-', '+'), 'hash': ('HGETALL', key), 'list': (
        'LRANGE', key, '0', '-1'), 'string': ('GET', key)}.get(kind, ('EXISTS', key))))
tap.ok(len(everything) > 2000 and not tells(everything) and not any(x in everything for x in (
    'kunde@', 'billing@', 'AC-2', 'anna', 'mismatch', uid)), 'Redis has nothing in clear')

# ---- a group on both; two persons ----
names = [(h, h.hold('group %d' % i)) for i in range(3) for h in (one, two)]
cause = one.record(names[0][1])['cause']
wait_for(lambda: all(n in anna.get('/') for _, n in names))
path = '/cause?' + urllib.parse.urlencode({'is': cause})
text = anna.get(path)
up_to = text.split('name="up_to" value="')[1].split('"')[0]
bulk = '/bulk?' + urllib.parse.urlencode({'state': 'held', 'cause': cause})
group = {'all': '1', 'up_to': up_to, 'verb': 'delete', 'why': 'all'}
number = re.search('how many they are: ([0-9]+)', anna.get(bulk, group)).group(1)
text = anna.get(bulk, dict(group, others=number))
tap.ok(text.count('wait for a second person') == 2, 'the number of all hosts counts for the two-person rule', text)
tap.ok(all(n in h.p.held() for h, n in names), '... nothing is done yet')
bert = Page()
bert.get('/login')
bert.get('/login', {'name': 'bert', 'password': "bert's-password"})
wait_for(lambda: 'name="id"' in bert.get('/waiting'))
for _ in range(3):
    text = bert.get('/waiting')
    if 'name="id"' not in text:
        break
    decision = text.split('name="id" value="')[1].split('"')[0]
    bert.get('/agree', {'id': decision, 'agrees': 'yes', 'password': "bert's-password"})
    wait_for(lambda: decision not in bert.get('/waiting'), 10)
tap.ok(wait_for(lambda: all(h.record(n)['state'] == 'deleted' for h, n in names), 30), '... until bert agrees: on both')

# ---- one that takes long keeps nobody waiting ----
tarpit = socket.create_server(('127.0.0.1', 0))  # takes connections and says nothing
words = ('stuck', 'other', 'away', 'killed')
stuck, other, away, killed = names = [one.hold(x, to=['kunde@alpha.example', 'z@beta.example']) for x in words]
one.agent.stop()
one.configure(port=tarpit.getsockname()[1])
one.agent.start()
wait_for(lambda: all(x in anna.get('/') for x in names))
uids = {x: one.record(x)['uid'] for x in names}
said = []


def begin(name, begun, **form):
    """The thread in which the page is asked, as soon as that has begun."""
    asking = threading.Thread(target=lambda: said.append((name, anna.get('/message/' + uids[name], form))))
    asking.start()
    wait_for(begun)
    return asking


def begin_release(name, begun=None):
    return begin(name, begun or (lambda: one.record(name)['decisions']), verb='release-some', to='z@beta.example', why='x')


hanging = begin_release(stuck)
said.append((other, anna.get('/message/%s/reveal' % uids[other], {})))
hanging.join()
tap.ok([x for x, _ in said] == [other, stuck] and 'C-10002' in said[0][1] and 'It is being done' in said[1][1],
       'while a submission hangs another message is shown', [x for x, _ in said])
one.configure('two-person-above = 0\n')
text = anna.get('/message/' + uids[other], {'verb': 'delete', 'why': 'x', 'sure': '1'})
tap.ok('waits for a second person' in text, 'settings that changed meanwhile are those of the next request', text)
one.configure()
one.agent.stop()
said.clear()
before = int(r.cli('XLEN', 't:desk:mx1.seller.example'))
both = [begin_release(away, lambda: int(r.cli('XLEN', 't:desk:mx1.seller.example')) > before),
        begin(other, lambda: int(r.cli('XLEN', 't:desk:mx1.seller.example')) > before + 1, verb='note', why='behind it')]
one.configure(port=tarpit.getsockname()[1])
one.agent.start()
for asking in both:
    asking.join()
tap.ok([x for x, _ in said] == [other, away] and 'Done.' in said[0][1] and 'It is being done' in said[1][1],
       '... also what was asked after it while the host was away', [x for x, _ in said])
one.configure()
said.clear()
hanging = begin_release(killed)
one.agent.kill()
one.agent.start()
hanging.join()
tap.ok('Done.' in said[0][1] or 'It is being done' in said[0][1], 'killed before its answer, the agent gives it afterwards', said[0][1])
tap.ok(wait_for(lambda: [one.record(x)['recipients'][1]['state'] for x in (stuck, away, killed)] == ['released'] * 3, 30),
       '... and what hung is done')
tap.ok(wait_for(lambda: '0' == r.cli('XPENDING', 't:desk:mx1.seller.example', 'agent').split('\n')[0]),
       '... and taken off the stream')
one.p.flush()
tap.same([one.p.arrived('Subject: ' + x) for x in ('stuck', 'away', 'killed')], [1, 1, 1], '... once each')

# ---- Redis away; a page that lost what it had ----
d = one.hold('Redis away')
wait_for(lambda: d in anna.get('/'))
r.stop()
text = anna.get('/')
tap.ok(d in text, 'without Redis the page still shows what it knows')
uid = one.record(d)['uid']
text = anna.get('/message/' + uid, {'verb': 'release', 'why': 'x', 'others': '1'})
tap.ok('Redis' in text and d in one.p.held(), '... and says that nothing can be asked', text)
out = one.m.tool('held', 'release', d)
tap.ok(one.m.code == 0, '... the host itself needs neither', out)
r.start()
e = one.hold('after Redis')
tap.ok(wait_for(lambda: e in anna.get('/'), 30), 'Redis back, empty: hosts go on telling')
r.cli('DEL', 't:desk:mx1.seller.example', 't:held')
text = anna.get('/message/' + one.record(e)['uid'], {'verb': 'note', 'why': 'streams lost'})
tap.ok('Done.' in text, 'streams that Redis lost are made again', text)
tap.ok(wait_for(lambda: 'streams lost' in anna.get('/message/' + one.record(e)['uid'])), '... both of them')
page.stop()
middle.stop()
for path in glob.glob(m.state + '/held-everywhere.db*'):
    os.unlink(path)
middle.start()
wait_for(lambda: os.path.exists(m.state + '/held-everywhere.db'))
subprocess.run('chgrp daemon %s/held-everywhere.db*' % m.state, shell=True)
page.start()
anna.get('/login')
anna.get('/login', {'name': 'anna', 'password': "anna's-password"})
tap.ok(wait_for(lambda: e in anna.get('/'), 20), 'a page that lost its records reads them again')
tap.same(page.stop(), 0, 'the page stops cleanly')
tap.same(one.agent.stop(), 0, 'the agent stops cleanly')
tap.done()
