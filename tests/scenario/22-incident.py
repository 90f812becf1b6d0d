"""An incident on a real Postfix: mail that gets out in mode observe, then mail that is held, some of it released.
What the report says is compared with what this scenario knows, and with what the sink got."""
import datetime
import stat

from rig import *

tap = Tap()
S = scratch_folder()
MAPPING = [('house', 'recipient', '@seller.example')]
for n in range(1, 7):
    MAPPING += [('AC-%d' % n, 'recipient', '@c%d.example' % n), ('AC-%d' % n, 'customer-number', 'C-1000%d' % n)]
m = Missent(S, mode='observe', policies=POLICY, mapping=MAPPING)
p = Postfix(S, 'unix:' + m.socket)
m.more = p.settings() + p.desk() + (
    'incident {\nclocks = {"gdpr", "nis2", "Contract: 2d"}\ncompany = "Seller"\ncontact = "privacy@seller.example"\n'
    'notice-templates = "%s/policies"\n}\n' % SOURCE)
m.write_conf()
m.start()
p.start()
time.sleep(1.1)  # the trail begins before the time that is asked about
BEGIN = datetime.datetime.now(datetime.timezone.utc)
SINCE = BEGIN.strftime('%Y-%m-%dT%H:%M:%SZ')


def send(owner, recipients):
    to = ['x@c%d.example' % r for r in recipients]
    return p.queue_id(p.send(message('about %d' % owner, 'customer number: C-1000%d\n' % owner, to=to[0]), to=to))


def tool(*args):
    return m.tool(*args)


def csv(path, rows):
    with open(path, 'w') as f:
        f.write('account,kind,value\n' + ''.join('%s,%s,%s\n' % row for row in rows))


def report(*more):
    return json.loads(tool('incident', 'report', '--from', SINCE, '--json', *more))


def fates(row):
    return {k: v for k, v in row.items() if v and k != 'all'}


# the truth: right mail; two wrong ones that observe mode lets go, of AC-1 and AC-2
send(1, [1]), send(2, [2])
send(1, [2]), send(2, [3])
tap.ok(wait_for(lambda: len(p.delivered()) == 4), 'observed, four mails are delivered', p.delivered())
r = report()
tap.same(r['summary']['judged'], 4, 'the report counts what was judged')
tap.same(fates(r['summary']['wrong']), {'got-out': 2}, '... what was wrong and got out')
tap.same(fates(r['numbers']['accounts']), {'got-out': 2}, '... whose')
tap.same(fates(r['numbers']['recipients']), {'got-out': 2}, '... to how many')
tap.same(fates(r['categories']['customer-number']), {'got-out': 2}, '... of what kind')

tap.ok(wait_for(lambda: '"type":"beat"' in m.trail()), 'the daemon says that it lives')
r = report()
tap.ok(not any('beat' in e['what'] for e in r['containment'].get('events', [])) and r['unknown-times'] == [],
       '... which is no event, and leaves no hole', r)

# enforced: three are held; one is released, one deleted, one waits
m.stop()
m.mode = 'enforce'
m.write_conf()
m.start()
names = [send(3, [4]), send(4, [5]), send(5, [6])]
tap.ok(wait_for(lambda: all(n in p.held() for n in names)), 'enforced, three are held', p.held())
tool('held', 'release', names[0], '--others', '1', '--why', 'sure')
tap.same(m.code, 0, 'one is released')
tool('held', 'delete', names[1], '--why', 'wrong')
tap.same(m.code, 0, 'one is deleted')
tap.ok(wait_for(lambda: len(p.delivered()) == 5), '... and only the first arrives', p.delivered())

# who reads no further (head) wanted no more, whatever a command does after a line could not be written
for args in (('incident', 'report', '--from', SINCE), ('incident', 'report', '--from', SINCE, '--json'), ('held', 'list')):
    unread, ours = os.pipe()
    os.close(unread)
    with open(ours, 'w') as ours:
        done = subprocess.run([BUILD + '/missent', '-c', m.conf, *args], stdout=ours, stderr=subprocess.PIPE, text=True)
    tap.same((done.returncode, done.stderr), (0, ''), ' '.join(args[:2]) + ' whose output nobody reads')
r = report('--known-at', '-1h')
tap.same([x['why'] for x in r['unknown-times']], ['stopped'], 'the time in which it was stopped is told as not known')
tap.same(fates(r['summary']['wrong']), {'got-out': 2, 'released': 1, 'held': 1, 'stopped': 1}, 'each fate is as it was')
tap.same(fates(r['numbers']['accounts']), {'got-out': 2, 'released': 1, 'held': 1, 'stopped': 1}, '... each account has its own')
tap.same([c['title'] for c in r['clocks']['clocks']][-1], 'Contract', 'the clocks are those of the settings')
tap.same(r['containment'].get('release'), 1, 'decisions are told')
tap.same(fates(report('--identifier', 'customer-number=C-10003')['summary']['wrong']), {'released': 1},
         'one identifier is found by its digest')
tap.same(report('--identifier', 'customer-number=C-10006')['summary']['wrong']['all'], 0, '... and another is not')

text = tool('incident', 'report', '--from', SINCE)
html = tool('incident', 'report', '--from', SINCE, '--html')
tap.ok('<svg ' in html and 'src=' not in html and '<script' not in html, 'the page has a timeline and fetches nothing')
secrets = ['C-1000', 'C1000', '@c1.example', '@c2.example', 'AC-1', 'AC-2']
tap.same([x for x in secrets if x in text + html + json.dumps(r)], [], 'nobody is named in any of them')
named = tool('incident', 'report', '--from', SINCE, '--names')
tap.ok('AC-1' in named and any(x['event'] == 'incident names' for x in m.audit(events=True)), 'names go on record')

whom = report()['whom']
tap.ok(all(len(v['to']) == 1 and len(v['to'][0]['account']) == 24 and v['to'][0]['account'] != k for k, v in whom.items()),
       'whose data went to whom, by digests', whom)
about = json.loads(tool('incident', 'about', '--json', 'AC-1'))
tap.same((fates(about['messages']), about['recipients']), ({'got-out': 1}, 1), 'a customer has its part')
tap.ok('AC-2' not in json.dumps(about) and 'c2.example' not in json.dumps(about), '... and nothing of another')
for language, word in (('en', 'We have to tell you'), ('fr', 'Nous devons vous informer')):
    drafts = os.path.join(S, 'drafts-' + language)
    tool('incident', 'notices', '--from', SINCE, '--language', language, drafts)
    texts = {f: open(os.path.join(drafts, f)).read() for f in os.listdir(drafts)}
    tap.ok(len(texts) == 3 and all(word in t for t in texts.values()), 'a draft to each of whom something got out (%s)' % language, texts)
    digests = [f[len('notice-'):-len('.txt')] for f in texts]
    for name, t in texts.items():
        owner = [n for n in range(1, 7) if 'AC-%d' % n in t]
        others = [w for n in range(1, 7) if [n] != owner for w in ('AC-%d' % n, 'C-1000%d' % n, 'C1000%d' % n, 'c%d.example' % n)]
        others += [d for d in digests if d not in name]
        tap.ok(len(owner) == 1 and not [w for w in others if w in t], '... which has nothing of any other customer', t)
tool('incident', 'notices', '--from', SINCE, '--language', 'fr', drafts)
tap.ok(m.code != 0 and all(open(os.path.join(drafts, f)).read() == t for f, t in texts.items()),
       'a draft that somebody may have worked on is not written over')
gone = sorted(texts)[0]
os.unlink(os.path.join(drafts, gone))
tool('incident', 'notices', '--from', SINCE, '--language', 'fr', drafts)
tap.ok(m.code != 0 and sorted(os.listdir(drafts)) == sorted(texts), '... and what a run that was stopped has left out is written by the next', os.listdir(drafts))
tap.same(stat.S_IMODE(os.stat(os.path.join(drafts, gone)).st_mode), 0o600, '... closed to others')
rows = [json.loads(x) for x in tool('incident', 'register', '--json').splitlines()]
tap.same(sum(x['messages']['all'] for x in rows), 5, 'the register has near misses and breaches')
FATES = ('all', 'got-out', 'released', 'held', 'stopped', 'not-known')
table = [[int(n) for n in re.search(r'(?: +\d+)+$', x).group().split()[:-1]] for x in tool('incident', 'register').splitlines() if x[:2] == '20']
tap.same(table, [[x['messages'][f] for f in FATES] for x in rows], '... and what is held still is not among what was stopped')

# looking back: had the directory known at the time that C-10001 is of AC-6
new = os.path.join(S, 'new.csv')
csv(new, [('AC-6', *row[1:]) if row[2] == 'C-10001' else row for row in MAPPING])
out = tool('audit', 'rejudge', '--directory', new)
tap.ok(m.code == 1 and '1 were delivered and should have been held' in out, 'a leak that nobody saw is found', out)
csv(new, MAPPING)
out = tool('audit', 'rejudge', '--directory', new)
tap.ok(m.code == 0 and '0 were delivered and should have been held' in out and 'cannot see' in out,
       'by the mapping of the time there is none', out)
halves = [os.path.join(S, 'half%d.csv' % i) for i in (1, 2)]
csv(halves[0], [row for row in MAPPING if row[1] == 'recipient'])
csv(halves[1], [('AC-6', *row[1:]) if row[2] == 'C-10001' else row for row in MAPPING if row[1] != 'recipient'])
out = tool('audit', 'rejudge', '--directory', halves[0], '--directory', halves[1])
tap.ok(m.code == 1 and '1 were delivered and should have been held' in out, 'a mapping of two files is one', out)
ecs = [json.loads(x) for x in tool('audit', 'export', '--ecs').splitlines()]
tap.same(sum(x['event'].get('category') == ['email'] for x in ecs), 7, 'the trail as ECS has each message')
out = tool('incident', 'report', '--from', '2020-01-01', '--to', '2020-01-02')
tap.ok(m.code == 66 and 'There is no audit trail of this time' in out, 'a time without a trail is told as not known', out)
m.stop()
p.stop()
tap.done()
