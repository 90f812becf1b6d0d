"""The audit trail: each line is in it, proves itself to programs of others, and damage is found where it is."""
import fcntl
import subprocess
import threading

from rig import *

tap = Tap()
S = scratch_folder()
m = Missent(S, mapping=MAPPING)
m.start()
p = Postfix(S, 'unix:' + m.socket)
p.start()
LOG = m.state + '/audit'
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def verify(*more):
    return m.tool('audit', 'verify', *more)


def types():
    return [json.loads(x)['type'] for x in m.trail().splitlines()]


# ---- what is in it ----
for i in range(3):
    p.send(message('wrong %d' % i, WRONG))
    p.send(message('right %d' % i, RIGHT))
lines = m.audit()
tap.same(sorted(x['verdict'] for x in lines), ['deliver'] * 3 + ['hold'] * 3, 'a line for each message')
held = [x for x in lines if x['verdict'] == 'hold'][0]
tap.ok(held['to'][0]['outcome'] == 'wrong' and held['key'] and held['identifiers'][0]['id'] and held['versions']['mapping'],
       'with digests, outcome and versions', held)
tap.ok(not tells(m.trail()), 'nothing of the mapping or of the mails is in it in clear')
tap.ok(wait_for(lambda: 'beat' in types()) and 'start' in types(), 'missentd says that it started, and lives', types())
imports = [json.loads(x)['detail'] for x in m.trail().splitlines() if json.loads(x)['type'] == 'import']
tap.ok(imports and all(x['versions']['mapping'] == imports[-1].split(',')[0] for x in lines), 'the mapping in use is named', imports)
m.load(MAPPING)
tap.same([(x['who'], x['client'], re.sub(r'\d+', 'N', x['detail'])) for x in m.audit(events=True) if x['event'] == 'import'],
         [('root', 'shell', 'N entries (N before), from standard input: N as before, N new, N gone, moved to accounts of others: N; '
           'accounts: N new, N gone')], 'who imports is told, and what is other')
out = verify()
tap.ok(m.code == 0 and ' 0 wrong' in out, 'it is whole', out)

# ---- who changes one entry of the mapping, or has all of it ----
mark = len(m.audit(events=True))
m.tool('directory', 'put', 'AC-1', 'customer-number', 'C-10002')
p.send(message('right by that', WRONG))
m.tool('directory', 'delete', 'AC-1', 'customer-number', 'C-10002')
m.tool('directory', 'put', 'AC-1', 'recipient', 'Else@Alpha.example')
m.tool('directory', 'delete', 'AC-1', 'recipient', 'Else@Alpha.example')
m.tool('directory', 'accept')
m.tool('directory', 'put', 'AC-77', 'customer-number', 'C-77001')
m.tool('directory', 'remove', '-n', 'AC-77')
m.tool('directory', 'remove', '--yes', '--why', 'has left', 'AC-77')
acts = [(x['event'], x['who'], x['client']) for x in m.audit(events=True)[mark:]]
tap.same(acts, [(x, 'root', 'shell') for x in ('entry put', 'entry deleted', 'entry put', 'entry deleted', 'mapping accepted',
                                              'entry put', 'account-removed')],
         'who changes entries is told')
put = m.audit(events=True)[mark]
found = [x for x in m.audit()[-1]['identifiers'] if x['kind'] == 'customer-number'][0]
tap.ok(put['about'] == found['id'] and put['detail'].split('account ')[1] in found['accounts'],
       '... by the digests that lines of messages have', (put, found))
gone = [x for x in m.audit(events=True)[mark:] if x['event'] == 'account-removed'][0]
tap.ok(gone['about'] == m.audit(events=True)[mark + 5]['detail'].split('account ')[1] and gone['detail'].endswith(': has left')
       and '1 of its own' in gone['detail'] and 'AC-77' not in str(gone), '... of all of an account as well', gone)
tap.ok('10002' not in str(put) and 'AC-1' not in str(put) and not tells(m.trail()), '... and nothing in clear', put)

# ---- proofs, for programs of others ----
vkey = open(LOG + '/vkey').read().strip()
number = next(i for i, x in enumerate(m.trail().splitlines()) if json.loads(x).get('queue_id') == held['queue_id'])
entry = m.trail().splitlines()[number]
proof = subprocess.run([BUILD + '/missent', '-c', m.conf, 'audit', 'prove', str(number)], stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, text=True).stdout
tap.ok(proof.startswith('c2sp.org/tlog-proof@v1\nindex %d\n' % number) and LOG not in proof, 'a line has a proof', proof)
tap.same(m.tool('audit', 'show', str(number)).strip(), entry, '... and is shown as it was written')
for name, text in (('proof', proof), ('entry', entry), ('forged', entry.replace('"hold"', '"pass"'))):
    with open(S + '/' + name, 'w') as f:
        f.write(text)
if shutil.which('go') and os.path.isdir('/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog'):
    env = dict(os.environ, GO111MODULE='off', GOPATH='/usr/share/gocode', GOCACHE=S + '/go', GOFLAGS='')
    built = subprocess.run(['go', 'build', '-o', S + '/check', SOURCE + '/tests/verify/proof.go'], env=env,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.same((built.returncode, built.stdout), (0, ''), 'the verifier of the Go project is built')
    for name, want in (('entry', 0), ('forged', 1)):
        done = subprocess.run([S + '/check', vkey, S + '/proof', S + '/' + name], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        tap.ok(done.returncode == want, '... it %s' % ('accepts the line' if want == 0 else 'refuses another one'), done.stdout)
else:
    tap.skip('the verifier of the Go project', 'golang-go or golang-golang-x-mod-dev is not installed')
spicy = shutil.which('spicy-litetlog')
if spicy:
    with open(S + '/entry.spicy', 'w') as f:
        f.write(proof.split('\n', 1)[1])
    done = subprocess.run([spicy, '-verify', vkey, S + '/entry'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 0, 'spicy-litetlog accepts it', done.stdout)
else:
    tap.skip('spicy-litetlog', 'it is not installed')

# ---- checkpoints that are kept elsewhere ----
kept = m.tool('audit', 'checkpoint')
with open(S + '/kept', 'w') as f:
    f.write(kept)
shutil.copytree(LOG, S + '/before')
p.send(message('one more', RIGHT))
out = verify('--against', S + '/kept')
tap.ok(m.code == 0, 'a checkpoint that was kept is of this log', out)
shutil.copytree(LOG, S + '/now')
with open(S + '/later', 'w') as f:
    f.write(m.tool('audit', 'checkpoint'))
out = verify('--folder', S + '/before', '--against', S + '/later')
tap.ok(m.code == 1 and 'entries' in out, 'a log that was rolled back as a whole is told by it', out)
out = verify('--folder', S + '/before', '--against', S + '/entry')
tap.ok(m.code == 65, '... and what is no checkpoint is told', out)

# ---- killed while it writes ----
lock = open(LOG + '/lock')
fcntl.flock(lock, fcntl.LOCK_EX)
mark = len(m.audit())
replies = []
sender = threading.Thread(target=lambda: replies.append(p.send(message('killed', RIGHT))))
sender.start()
time.sleep(1)
tap.same(replies, [], 'no answer before the line is on disk')
m.kill()
lock.close()
sender.join()
tap.ok(replies[0][0] != 250 and len(m.audit()) == mark, '... killed: neither answer nor line', replies)
m.start()
p.send(message('after the kill', RIGHT))
out = verify()
tap.ok(m.code == 0, '... and the log is whole', out)

# ---- one that is none, is empty, or is another host's ----
other = Missent(S + '/elsewhere', host='other.seller.example')
OTHER = other.state + '/audit'
out = other.tool('audit', 'verify')
tap.ok(other.code == 65 and 'there is no audit trail in' in out, 'no trail is told', out)
os.makedirs(OTHER)
out = other.tool('audit', 'verify')
tap.ok(other.code == 65 and 'is no audit trail' in out, '... and a folder that is none', out)
for name in ('vkey', 'key', 'lock'):
    shutil.copy2(LOG + '/' + name, OTHER + '/' + name)
out = other.tool('audit', 'verify')
tap.ok(other.code == 1 and 'the trail is empty' in out, '... and one that is empty', out)
shutil.rmtree(OTHER)
shutil.copytree(LOG, OTHER)
done = subprocess.run(['unshare', '--uts', 'sh', '-c', 'hostname elsewhere; exec "$@"', 'sh', BUILD + '/missent', '-c', other.conf,
                       'audit', 'verify'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
if 'unshare' in done.stdout:
    tap.skip('a trail of another host', 'a host name of one\'s own cannot be had here')
else:
    tap.ok(done.returncode == 1 and 'the trail is of another host, ' in done.stdout, '... and another host\'s', done.stdout)
out = verify('--folder', OTHER)
tap.ok(m.code == 0, '... which is whole for who asks for it by its folder', out)

# ---- another trail in its place, as a whole, in which this host goes on ----
m.stop()
os.rename(LOG, LOG + '.mine')
m.start()
p.send(message('in another', RIGHT))
out = verify()
tap.ok(m.code == 1 and 'is not the one that was begun here' in out and ' 1 wrong' in out, 'a trail that was made anew is told', out)
m.stop()
shutil.rmtree(LOG)
os.rename(LOG + '.mine', LOG)
m.start()
out = verify()
tap.ok(m.code == 0, '... and the one that was begun here is whole', out)

# ---- the end ----
tap.same(m.stop(), 0, 'missentd stops')
tap.same(types()[-1], 'stop', '... which is in the trail')
tap.done()
