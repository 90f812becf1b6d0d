"""People, as the agent alone knows them: what a page that was taken over can do in their names, who guesses
at passwords, second factors, programs with tokens, and who is told of holds and decisions."""
import fcntl
import hashlib
import hmac
import http.server
import shutil
import sqlite3
import struct
import threading
import urllib.error
import urllib.parse
import urllib.request

from rig import *

tap = Tap()
if os.geteuid() != 0:
    tap.skip('people', 'Postfix starts only as root')
    tap.done()
S = scratch_folder()
m = Missent(S, policies=POLICY, mapping=MAPPING)
m.start()
p = Postfix(S, 'unix:' + m.socket)
p.start()
PORT = free_port()
SITE = 'http://127.0.0.1:%d' % PORT
PROXY = 'proxy-peers = {"127.0.0.1"}\n'
AGENT = S + '/agent.sock'


def configure(page='', desk='two-person-above = 0\n'):
    m.more = p.settings() + p.desk('socket-group = "daemon"\nperson-domains = {"corp"}\n%s' % desk) + \
        'review {\nlisten = "127.0.0.1:%d"\nuser = "daemon"\n%s\n}\n' % (PORT, page)
    m.write_conf()


def hold(subject, to=('kunde@alpha.example',)):
    name = queue_id(p.send(message(subject, WRONG), to=to))
    wait_for(lambda: name in p.held())
    return name


def record(name):
    return json.loads(m.tool('held', 'show', '--json', name))


def ask(who='daemon', group='daemon', **request):
    """One request to the agent, from a process of that user: what the page's own process could do."""
    code = '''
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
text = sys.argv[2].encode()
s.sendall(struct.pack('>I', len(text)) + text)
got = b''
while len(got) < 4 or len(got) < 4 + struct.unpack('>I', got[:4])[0]:
    more = s.recv(65536)
    if not more:
        break
    got += more
print(got[4:].decode())
'''
    done = subprocess.run(['setpriv', '--reuid', who, '--regid', group, '--clear-groups', sys.executable, '-c', code, AGENT,
                           json.dumps(request)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {'ok': False, 'error': done.stdout}


class Reviewer:
    """Somebody with a browser, from an address that a trusted proxy tells."""

    def __init__(self, address='192.0.2.1'):
        self.cookies, self.address, self.token = {}, address, ''
        self.set_cookies = []

    def get(self, path, data=None, **headers):
        """(status, text)"""
        if data is not None:
            data = urllib.parse.urlencode({'token': self.token, **data}, doseq=True).encode()
        headers = {'X-Forwarded-For': self.address, **{k.replace('_', '-'): v for k, v in headers.items()}}
        if self.cookies:
            headers['Cookie'] = '; '.join('%s=%s' % x for x in self.cookies.items())

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *args):
                return None
        try:
            reply = urllib.request.build_opener(Stay).open(urllib.request.Request(SITE + path, data, headers=headers), timeout=60)
        except urllib.error.HTTPError as e:
            reply = e
        text = reply.read().decode()
        for line in reply.headers.get_all('Set-Cookie') or []:
            self.set_cookies.append(line)
            name, value = line.split(';')[0].split('=', 1)
            self.cookies[name] = value
        if 'name="token" value="' in text:
            self.token = text.split('name="token" value="')[1].split('"')[0]
        if reply.headers['Location']:
            text += urllib.parse.unquote(reply.headers['Location'])
        return reply.status, text

    def log_in(self, name, password=None, code=''):
        password = password or name + "'s-password"
        status, text = self.get('/login', {'name': name, 'password': password, 'code': code})
        if status == 303:
            self.get('/')
        return status, text

    def session(self):
        return self.cookies['missent']


def code_of(secret, steps=0):
    """What an authenticator shows (RFC 6238)."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, struct.pack('>Q', int(time.time()) // 30 + steps), hashlib.sha1).digest()
    at = digest[-1] & 15
    return '%06d' % ((struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000)


def early():
    """Within thirty seconds' step, so that the next commands have the same one."""
    while time.time() % 30 > 20:
        time.sleep(0.2)


# ---- accounts of the version before become the agent's ----
configure(PROXY)
os.makedirs(m.state + '/review')
with contextlib.closing(sqlite3.connect(m.state + '/review/accounts.db')) as db:
    db.executescript('''PRAGMA journal_mode=WAL; PRAGMA application_id=%d;
        CREATE TABLE user (name TEXT PRIMARY KEY, hash TEXT NOT NULL, role TEXT NOT NULL, download TEXT NOT NULL,
            disabled TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE session (hash TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL, began INTEGER NOT NULL,
            used INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE attempt (name TEXT NOT NULL, client TEXT NOT NULL, at INTEGER NOT NULL);
        INSERT INTO user VALUES ('Old.Hand', '', 'viewer', '1', '0', 7);''' % 0x6d737277)
shutil.chown(m.state + '/review/accounts.db', 'daemon')
shutil.chown(m.state + '/review', 'daemon', 'daemon')
out = m.tool('review', 'migrate')
st = os.stat(m.state + '/agent/accounts.db')
tap.ok(m.code == 0 and 'old.hand' in m.tool('review', 'users') and not glob.glob(m.state + '/review/accounts.db*'),
       'accounts of the version before are taken over', out)
import pwd
tap.same((pwd.getpwuid(st.st_uid).pw_name, st.st_mode & 0o777, os.stat(m.state + '/agent').st_mode & 0o777), (USER, 0o600, 0o700),
         '... and are for the agent\'s user alone')
tap.same((m.tool('review', 'migrate'), m.code), ('', 0), '... once')
for who, more in (('anna', ()), ('bert', ()), ('vera', ('--role', 'viewer')), ('carla', ('--role', 'administrator')),
                  ('paul', ('--no-password',))):
    m.tool('review', 'adduser', who, *more, stdin=who + "'s-password\n")
run = subprocess.run
run(['chgrp', 'daemon', m.state])
os.chmod(m.state, 0o750)
run('chgrp daemon %s/held.db*' % m.state, shell=True)
os.chmod(m.dir, 0o755)
agent = Program(m, 'missent-agent', '-r').start()
page = Program(m, 'missent-review').start()

# ---- who may ask the agent ----
tap.ok(ask(do='hello')['ok'], 'the page\'s user may ask the agent')
for who in ('games', 'man'):
    reply = ask(who, do='hello')
    tap.ok(not reply['ok'] and 'accounts' not in reply, 'another user of its group may not', reply)
tap.ok(ask('root', 'root', do='hello')['ok'], 'root may')

# ---- a page that was taken over ----
anna, bert, vera, carla = (Reviewer('192.0.2.%d' % i) for i in range(1, 5))
for who, name in ((anna, 'anna'), (bert, 'Bert@corp'), (vera, 'vera'), (carla, 'carla')):
    status, text = who.log_in(name, name.split('@')[0].lower() + "'s-password")
    tap.same(status, 303, '%s logs in' % name)
held = hold('first')
uid = record(held)['uid']
decide = {'do': 'decide', 'verb': 'release', 'uids': [uid], 'recipients': [], 'why': 'x', 'others': 1}
for request, name in (({}, 'without a session'), ({'session': '0' * 64}, 'with one that is none'),
                      ({'session': ''}, 'with an empty one'), ({'session': None}, 'with null'),
                      ({'token': 'mst_' + '0' * 64}, 'with a token that is none')):
    reply = ask(who='daemon', **{**decide, 'who_': 'bert', **request})
    tap.ok(not reply['ok'] and held in p.held() and not record(held)['decisions'], 'a page cannot decide ' + name, reply)
reply = ask(**{**decide, 'session': vera.session()})
tap.ok(not reply['ok'] and reply['code'] == 'role' and not record(held)['decisions'], 'nor with the session of a viewer', reply)
status, text = anna.get('/message/' + uid, {'verb': 'release', 'why': 'sure', 'others': '1'})
tap.ok(record(held)['decisions'][0]['state'] == 'waiting', 'anna decides, and it waits', text)
tap.same(record(held)['decisions'][0]['who'], 'anna', '... in her name')
decision = record(held)['decisions'][0]['id']
agree = {'do': 'agree', 'id': decision, 'agrees': True}
for request, name in (
        ({'session': bert.session()}, 'bert\'s session alone'),
        ({'session': bert.session(), 'password': "anna's-password"}, 'another\'s password'),
        ({'session': bert.session(), 'password': ''}, 'an empty password'),
        ({'session': bert.session(), 'proved': True}, 'its own word'),
        ({'session': vera.session(), 'password': "vera's-password"}, 'a viewer'),
        ({'session': anna.session(), 'password': "anna's-password"}, 'who decided'),
        ({'session': anna.session(), 'password': "anna's-password", 'who': 'bert'}, 'who decided, by another name'),
        ({'vouched': {'who': 'bert', 'role': 'reviewer', 'proved': True}, 'ask': {**agree, 'agrees': True}}, 'what only agents say')):
    reply = ask(**{**agree, **request})
    tap.ok(not reply['ok'] and held in p.held() and record(held)['decisions'][0]['state'] == 'waiting',
           'the second person is not ' + name, reply)
for name, request in (('account', {'do': 'account-put', 'about': 'mallory', 'role': 'administrator', 'new-password': 'mallory mallory'}),
                      ('role', {'do': 'account-put', 'about': 'bert', 'role': 'viewer'}),
                      ('token', {'do': 'token-add', 'about': 'mallory', 'role': 'administrator'}),
                      ('way out', {'do': 'account-delete', 'about': 'bert'}),
                      ('password', {'do': 'password', 'new-password': 'mallory mallory'})):
    for proof in ({}, {'password': 'guessed guessed'}):
        reply = ask(session=carla.session(), **request, **proof)
        tap.ok(not reply['ok'] and reply['code'] in ('proof', 'wait'), 'no %s without a proof of the administrator' % name, reply)
tap.ok('mallory' not in m.tool('review', 'users') + m.tool('review', 'token', 'list'), '... nothing was made')
reply = ask(do='admit', name='carla')
reply = ask(do='account-put', about='mallory', role='administrator', session=reply.get('session', ''), **{'new-password': 'mallory mallory'})
tap.ok(not reply['ok'], 'whom it says that a proxy named can look and decide, not change accounts', reply)
reply = ask(do='totp-confirm', session=ask(do='admit', name='paul')['session'], **{'new-code': '000000'})
tap.ok(not reply['ok'] and reply['code'] == 'proof', '... nor get a second factor that the page knows', reply)
paul = ask(do='admit', name='Paul@CORP')['session']
reply = ask(**{**agree, 'session': paul})
tap.ok(not reply['ok'] and reply['code'] == 'proof' and held in p.held(), '... nor be the second person', reply)
configure(PROXY + 'proxy-vouches = yes\n')
tap.ok(ask(**{**agree, 'session': paul, 'agrees': False, 'id': 'x'})['ok'] is False, '(settings are those of the file)')
status, text = bert.get('/agree', {'id': decision, 'agrees': 'yes', 'password': "bert's-password"})
tap.ok(record(held)['state'] == 'released', 'bert, with his password: it goes', text)
tap.same(record(held)['acts'][-1]['who'], 'anna, agreed by bert', '... in both names')
held = hold('second')
anna.get('/message/' + record(held)['uid'], {'verb': 'delete', 'why': 'x', 'sure': '1'})
decision = record(held)['decisions'][0]['id']
reply = ask(do='agree', id=decision, agrees=True, session=paul)
tap.ok(reply['ok'] and record(held)['state'] == 'deleted', 'by setting, the proxy vouches for the second person', reply)
configure('')
reply = ask(do='admit', name='anna')
tap.ok(not reply['ok'], 'without proxy-peers nobody is admitted by name', reply)
configure(PROXY)

users = {x['name']: x for x in json.loads(m.tool('review', 'users', '--json'))}
tap.ok(users['bert']['role'] == 'reviewer' and users['bert']['password'] and users['bert']['last_log_in'] > time.time() - 3600
       and not users['bert']['second_factor'], 'a program can read who has an account', users)

# ---- what takes long keeps nobody from logging in, however it is written ----
held = hold('locked')
waiting = []
with open(m.state + '/decide.lock', 'r+') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    text = json.dumps({**decide, 'uids': [record(held)['uid']], 'session': anna.session()}).replace('"decide"', '"\\u0064ecide"').encode()
    for _ in range(80):
        s = socket.socket(socket.AF_UNIX)
        s.connect(AGENT)
        s.sendall(struct.pack('>I', len(text)) + text)
        waiting.append(s)
    time.sleep(0.5)
    text = json.dumps({'do': 'session', 'session': anna.session()}).encode()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(3)
    s.connect(AGENT)
    s.sendall(struct.pack('>I', len(text)) + text)
    try:
        reply = b''.join(iter(lambda: s.recv(4096), b''))
    except socket.timeout:
        reply = b''
    tap.ok(b'"ok":true' in reply, 'eighty decisions that wait do not keep others waiting', reply)
for s in waiting:
    s.close()

# ---- cookies that only this site can set ----
safe = Reviewer('192.0.2.78')
status, _ = safe.get('/login', {'name': 'bert', 'password': "bert's-password"}, X_Forwarded_Proto='https')
safe.get('/language?to=fr', X_Forwarded_Proto='https')
for name in ('missent', 'missent-browser', 'language'):
    line = [x for x in safe.set_cookies if x.split('=')[0] == '__Host-' + name]
    attributes = set(line[0].split('; ')[1:]) if line else set()
    tap.ok({'Path=/', 'HttpOnly', 'SameSite=Strict', 'Secure'} <= attributes and 'Domain' not in str(attributes),
           'over TLS the cookie %s has its prefix and is not sent without' % name, safe.set_cookies)
tap.same(safe.get('/', X_Forwarded_Proto='https')[0], 200, '... and is taken')
safe.cookies = {'missent': safe.cookies['__Host-missent']}
tap.same(safe.get('/', X_Forwarded_Proto='https')[0], 303, '... one without it, which a neighbour may have set, is not')

# ---- guessing ----
guesser, owner, other = Reviewer('203.0.113.9'), Reviewer('192.0.2.77'), Reviewer('203.0.113.9')
codes = [guesser.log_in('vera', 'guess')[0] for _ in range(8)]
tap.ok(codes[:5] == [403] * 5 and codes[-1] == 429, 'who guesses waits', codes)
tap.same(owner.log_in('vera')[0], 303, '... its owner does not')
tap.same(guesser.log_in('vera')[0], 429, '... who guesses, with the right one too')
tap.same(other.log_in('bert')[0], 429, '... or another name')
other.cookies = {'missent-browser': bert.cookies['missent-browser']}
tap.same(other.log_in('bert')[0], 303, '... but not bert\'s own browser')
liar = Reviewer('203.0.113.9')
status, _ = liar.get('/login', {'name': 'vera', 'password': 'x'}, X_Forwarded_For='198.51.100.1, 203.0.113.9')
tap.same(status, 429, 'an address that the client wrote itself is worth nothing')
before = time.time()
tap.ok(anna.get('/')[0] == 200, 'a session goes on meanwhile')

# ---- connections that say nothing ----
silent = []
for i in range(450):
    s = socket.create_connection(('127.0.0.1', PORT))
    s.sendall(b'GET / HTTP/1.1\r\nX-Forwarded-For: 203.0.113.66\r\n')
    silent.append(s)
    if i in (80, 200, 449):
        began = time.time()
        tap.ok(anna.get('/')[0] == 200 and time.time() - began < 5, '%d half-open connections of one proxy keep nobody out' % i)


def is_open(s):
    s.setblocking(False)
    try:
        return s.recv(1) != b''
    except BlockingIOError:
        return True
    except OSError:
        return False


for s in silent[-40:]:
    with contextlib.suppress(OSError):
        s.sendall(b'X: y\r\n')
until = time.time() + 14
while time.time() < until:
    time.sleep(2)
    for s in silent[-40:]:
        with contextlib.suppress(OSError):
            s.sendall(b'X: y\r\n')  # one line now and then is not enough
tap.same(sum(is_open(s) for s in silent), 0, '... and are ended after some seconds')
tap.ok(anna.get('/')[0] == 200, '... nobody else')

# ---- one's own account, a second factor ----
status, text = vera.get('/me', {'act': 'password', 'password': 'wrong wrong', 'new-password': "vera's-new-password"})
tap.ok('fine=0' in text, 'a new password needs the old one', text)
status, text = vera.get('/me', {'act': 'password', 'password': "vera's-password", 'new-password': "vera's-new-password"})
tap.ok('fine=1' in text and vera.get('/')[0] == 200 and owner.get('/')[0] == 303, 'with it: other sessions end, this one goes on', text)
status, text = bert.get('/me', {'act': 'totp-begin'})
secret = text.split('secret=')[1].split('&')[0]
tap.ok('otpauth://totp/' in text and '<svg' in text, 'a second factor is shown as text and as a picture', text[:3000])
status, text = bert.get('/me', {'act': 'totp-confirm', 'new-code': '000000', 'password': "bert's-password"})
tap.ok('fine=0' in text, '... and counts only with a code of it', text)
early()
status, text = bert.get('/me', {'act': 'totp-begin'})
secret = text.split('secret=')[1].split('&')[0]
status, text = bert.get('/me', {'act': 'totp-confirm', 'new-code': code_of(secret, -1), 'password': "bert's-password"})
recovery = [x.split('</code>')[0] for x in text.split('<li><code>')[1:]]
tap.same(len(recovery), 8, '... then there are recovery codes')
again = Reviewer('192.0.2.2')
tap.same(again.log_in('bert')[0], 403, 'the password alone does not let bert in')
tap.same(again.log_in('bert', code=code_of(secret))[0], 303, '... with the code it does')
held = hold('third')
anna.get('/message/' + record(held)['uid'], {'verb': 'delete', 'why': 'x', 'sure': '1'})
decision = record(held)['decisions'][0]['id']
reply = ask(do='agree', id=decision, agrees=True, session=again.session(), password="bert's-password")
tap.ok(not reply['ok'] and reply['code'] == 'proof', 'nor is it enough for the second person', reply)
reply = ask(do='agree', id=decision, agrees=True, session=again.session(), code=code_of(secret))
tap.ok(not reply['ok'], '... nor a code that was used', reply)
status, text = again.get('/agree', {'id': decision, 'agrees': 'yes', 'code': recovery[0]})
tap.ok(record(held)['state'] == 'deleted', '... a recovery code is', text)
reply = ask(do='agree', id=decision, agrees=True, session=again.session(), code=recovery[0])
tap.ok(not reply['ok'], '... once', reply)
m.tool('review', 'totp', '--off', 'Bert')
tap.same(Reviewer('192.0.2.2').log_in('bert')[0], 303, 'the operator can take it away')

# ---- accounts, on the page and in the shell ----
status, text = carla.get('/accounts', {'act': 'account-put', 'name': 'emil', 'role': 'reviewer', 'new-password': "emil's-password",
                                       'password': "carla's-password"})
emil = Reviewer('192.0.2.9')
tap.ok(emil.log_in('emil')[0] == 303, 'an administrator adds an account, with her password', text)
carla.get('/accounts', {'act': 'account-put', 'name': 'EMIL', 'role': 'viewer', 'password': "carla's-password"})
tap.ok(emil.get('/')[0] == 303 and emil.log_in('emil')[0] == 303 and 'viewer' in emil.get('/me')[1], '... changes it: sessions end')
m.tool('review', 'moduser', 'emil', '--disable')
tap.ok(emil.get('/')[0] == 303 and emil.log_in('emil')[0] == 403, '... the operator shuts it')
m.tool('review', 'moduser', 'emil', '--enable', '--role', 'reviewer')
m.tool('review', 'passwd', 'emil', stdin='another password\n')
tap.ok(emil.log_in('emil', 'another password')[0] == 303, '... and gives it another password')
carla.get('/accounts', {'act': 'account-put', 'name': 'emil', 'delete': '1', 'password': "carla's-password"})
tap.ok(emil.get('/')[0] == 303 and 'emil' not in m.tool('review', 'users'), '... or deletes it')
carla.get('/accounts', {'act': 'account-put', 'name': 'carla', 'delete': '1', 'password': "carla's-password"})
tap.ok('carla' in m.tool('review', 'users'), '... but not herself')
trail = [x for x in m.audit(events=True) if x.get('event') in ('account', 'account deleted') and x['client']]
tap.ok(len(trail) == 3 and all(x['who'] == 'carla' for x in trail), 'the agent\'s trail has who changed what', trail)

# ---- programs ----
def api(path, body=None, token=None, method=None, kind='application/json', raw=None):
    """(status, reply)"""
    data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
    headers = {'Authorization': 'Bearer ' + (token or TOKEN)} if token != '' else {}
    if data is not None:
        headers['Content-Type'] = kind
    request = urllib.request.Request(SITE + '/api/1/' + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as e:
        text = e.read()
        try:
            return e.code, json.loads(text)
        except ValueError:
            return e.code, {'not JSON': text}


TOKEN = m.tool('review', 'token', 'add', 'billing', '--role', 'reviewer', '--for', 'anna').strip()
LOOKS = m.tool('review', 'token', 'add', 'looks', '--for', 'anna', '--days', '3').strip()
tap.ok(TOKEN.startswith('mst_') and 'billing' in m.tool('review', 'token', 'list'), 'a token is made, for anna', TOKEN)
tap.ok(TOKEN not in m.tool('review', 'token', 'list') and TOKEN.encode() not in b''.join(
    open(x, 'rb').read() for x in glob.glob(m.state + '/agent/*')), '... and shown once')
held = hold('by a program', to=('kunde@alpha.example', 'x@gamma.example'))
uid = record(held)['uid']
status, reply = api('stats')
tap.ok(status == 200 and reply['ok'] and reply['held'] >= 1, 'counts', reply)
status, reply = api('held?recipient=kunde&newer=1h&limit=1', token=LOOKS)
tap.ok(status == 200 and len(reply['messages']) == 1 and reply['messages'][0]['uid'] == uid, 'a list', reply)
for words, found in (('C-10002', True), ('program', True), ('C-10003', False)):
    status, reply = api('held?search=' + words, token=LOOKS)
    tap.ok(status == 200 and (uid in json.dumps(reply)) == found, 'a search for "%s", as on the page' % words, (status, reply))
status, reply = api('held/' + uid, token=LOOKS)
tap.ok(status == 200 and reply['message']['queue_id'] == held and not tells(json.dumps(reply)), 'a message, masked', reply)
status, reply = api('held/%s/evidence' % uid, {}, token=LOOKS)
tap.ok(status == 403 and not tells(json.dumps(reply)) and not any(x['what'] == 'reveal' for x in record(held)['acts']),
       '... in clear not by a viewer', reply)
status, reply = api('held/%s/evidence' % uid, {})
tap.ok(status == 200 and 'C-10002' in json.dumps(reply) and any(
    x['what'] == 'reveal' and x['who'] == 'anna via billing' for x in record(held)['acts']), '... by a reviewer, on record', reply)
note = {'verb': 'note', 'uids': [uid], 'why': 'ticket 4711', 'id': '00112233445566aa'}
for _ in range(2):
    status, reply = api('decide', note)
tap.ok(status == 200 and reply['decisions'][0]['state'] == 'done' and [x['what'] for x in record(held)['acts']].count('note') == 1,
       'a decision, once for its ID', reply)
tap.same(api('rejudge', {'uids': [uid]})[0], 200, 'judged again')
release = {'verb': 'release', 'uids': [uid], 'recipients': ['x@gamma.example'], 'why': 'x'}
for name, want, args in (
        ('no token', 401, dict(token='')), ('a token that is none', 401, dict(token='mst_' + '0' * 64)),
        ('a viewer\'s token', 403, dict(token=LOOKS)), ('another method', 405, dict(method='PUT')),
        ('another type', 415, dict(kind='text/plain')), ('a form', 415, dict(kind='application/x-www-form-urlencoded')),
        ('no JSON', 400, dict(raw=b'{"verb":')), ('a list', 400, dict(raw=b'[]')), ('nothing', 400, dict(raw=b' ')),
        ('10 MB', 413, dict(raw=b'{"verb": "' + b'x' * 10_000_000 + b'"}'))):
    status, reply = api('decide', **{'body': release, **args})
    tap.ok(status == want and reply.get('ok') is False and reply.get('error'), 'refused with a reason: ' + name, (status, reply))
for change in ({'verb': 'relase'}, {'verb': ''}, {'verb': 7}, {'uids': []}, {'uids': ['']}, {'uids': uid}, {'uids': None},
               {'recipients': ['']}, {'recipients': 'x@gamma.example'}, {'why': ''}, {'who': 'bert'}, {'session': 'x'}, {'others': 'all'},
               {'rightful': 1}, {'recipients': ['nobody@gamma.example']}, {'uids': ['ffffffffffffffff']}, {'unknown': 1},
               {'verb': 'assign', 'recipients': None}, {'verb': 'agree'}):
    status, reply = api('decide', {k: v for k, v in {**release, **change}.items()})
    tap.ok(400 <= status < 500 and reply.get('error') and held in p.held(), 'refused with a reason: %s' % change, (status, reply))
for path, want in (('held?state=', 400), ('held?sender=', 400), ('held?limit=0', 400), ('held?limit=x', 400), ('held?colour=red', 400),
                   ('held/ffffffffffffffff', 404), ('nothing', 404), ('', 404), ('held/%s/evidence' % uid, 405), ('decide', 405)):
    status, reply = api(path)
    tap.ok(status == want and reply['ok'] is False and reply['error'], 'refused with a reason: GET ' + path, (status, reply))
status, reply = api('decide', release)
decision = reply['decisions'][0]
tap.ok(status == 200 and decision['state'] == 'waiting' and record(held)['decisions'][-1]['who'] == 'anna via billing',
       'what the rule of two persons is for waits', reply)
tap.ok(decision['id'] in json.dumps(api('waiting')[1]), '... and is listed')
for name, proof in (('nobody', {}), ('who answers for the token', {'name': 'anna', 'password': "anna's-password"}),
                    ('a viewer', {'name': 'vera', 'password': "vera's-new-password"}), ('somebody by name', {'name': 'bert'}),
                    ('somebody with another\'s password', {'name': 'bert', 'password': "anna's-password"})):
    status, reply = api('agree', {'id': decision['id'], 'agrees': True, **proof})
    tap.ok(400 <= status < 500 and record(held)['decisions'][-1]['state'] == 'waiting', '... no second person is ' + name, (status, reply))
status, reply = api('agree', {'id': decision['id'], 'agrees': True, 'name': 'Bert', 'password': "bert's-password"})
p.arrived('by a program')
tap.ok(status == 200 and record(held)['acts'][-1]['who'] == 'anna via billing, agreed by bert' and
       [x[0] for x in p.copies('Subject: by a program')] == [['x@gamma.example']], '... bert is, with his password', (status, reply))
m.tool('review', 'token', 'delete', 'looks')
tap.same(api('stats', token=LOOKS)[0], 401, 'a token that was deleted is not good')
tap.same(anna.get('/api/1/stats')[0], 401, 'nor is a session of the page')

# ---- the examples of the manual ----
with open(SOURCE + '/milter/review/missent-api.7') as f:
    text = f.read().split('.Sh EXAMPLES')[1].split('.Bd -literal\n')[1].split('.Ed')[0].replace('\\e', '\\').replace(
        'http://127.0.0.1:8025', SITE)
commands = text.replace('\\\n', ' ').strip().split('\n')
held = hold('of the manual')
env = {**os.environ, 'TOKEN': TOKEN, 'MESSAGE': record(held)['uid'], 'CODE': ''}
m.tool('review', 'totp', 'bert', stdin='000000\n')
early()
made = subprocess.Popen([BUILD + '/missent', '-c', m.conf, 'review', 'totp', 'bert'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True)
uri = made.stdout.readline()
out = made.communicate(code_of(uri.split('secret=')[1].split('&')[0], -1) + '\n')[0]
tap.ok(made.returncode == 0 and out.count('-') >= 24, 'a second factor, set up in the shell', uri + out)
for command in commands:
    env['CODE'] = code_of(uri.split('secret=')[1].split('&')[0])
    env['DECISION'] = ([x['id'] for x in record(held)['decisions'] if x['state'] == 'waiting'] or ['none'])[0]
    done = subprocess.run(['sh', '-c', command + ' -s'], stdout=subprocess.PIPE, text=True, env=env)
    tap.ok(done.stdout.startswith('{') and json.loads(done.stdout)['ok'], 'the manual: ' + command.split('/api')[1][:60], done.stdout)
tap.ok(len(commands) == 9 and record(held)['state'] == 'released', '... all of them', commands)
m.tool('review', 'totp', '--off', 'bert')

# ---- who is told ----
KEY = m.dir + '/webhook.key'
m.tool('review', 'key', KEY)
st = os.stat(KEY)
tap.ok(st.st_mode & 0o77 == 0, 'the webhook has a key of its own, for the agent alone', oct(st.st_mode))
with open(KEY) as f:
    hook_key = f.read().strip().encode()
told, answers = [], []


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        signature = dict(x.split('=', 1) for x in self.headers['X-Missent-Signature'].split(','))
        right = hmac.new(hook_key, signature['t'].encode() + b'.' + body, hashlib.sha256).hexdigest() == signature['v1']
        told.append((json.loads(body), right and abs(int(signature['t']) - time.time()) < 60, self.headers['X-Missent-Delivery'], body))
        status = answers.pop(0) if answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header('Location', '/elsewhere')
        self.end_headers()

    def log_message(self, *args):
        pass


hook_port = free_port()
m.stop()
agent.stop()
configure(PROXY, 'two-person-above = 0\nwebhook-url = "http://127.0.0.1:%d/hook"\nwebhook-key-file = "%s"\n' % (hook_port, KEY))
m.start()
agent.start()
lost = hold('while nobody listens')
time.sleep(1.5)
tap.ok('webhook: ' in agent.tail(), 'nobody listens: the log says so', agent.tail()[-500:])
agent.kill()
server = http.server.ThreadingHTTPServer(('127.0.0.1', hook_port), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
agent.start()
tap.ok(wait_for(lambda: told, 20), 'after a crash, and when somebody listens, what was held is told', agent.tail()[-500:])
tap.ok(told[0][0]['event'] == 'held' and told[0][0]['uid'] == record(lost)['uid'] and told[0][0]['queue_id'] == lost and told[0][1],
       '... signed', told)
answers += [500, 302, 404]
second = hold('refused at first')
tap.ok(wait_for(lambda: sum(x[0]['uid'] == record(second)['uid'] for x in told) >= 4, 60), 'what is not taken is told again', told)
names = [x[2] for x in told if x[0]['uid'] == record(second)['uid']]
tap.ok(len(set(names)) == 1 and all(x[1] for x in told), '... under the same name, signed anew', names)
mark = len(told)
anna.get('/message/' + record(second)['uid'], {'verb': 'delete', 'why': 'told to nobody', 'sure': '1'})
bert.log_in('bert')
status, text = bert.get('/agree', {'id': record(second)['decisions'][0]['id'], 'agrees': 'yes', 'password': "bert's-password"})
tap.ok(wait_for(lambda: [x[0].get('state') for x in told[mark:]] == ['waiting', 'done']), 'so are decisions', told[mark:])
last = told[-1][0]
tap.ok((last['verb'], last['who'], last['second'], last['message_state']) == ('delete', 'anna', 'bert', 'deleted'), '... who and what', last)
everything = b''.join(x[3] for x in told)
tap.ok(not tells(everything.decode()) and not any(x in everything for x in (b'@', b'AC-', b'told to nobody', b'refused at first')),
       '... without an address, an account, a subject or a reason', everything)
time.sleep(1)
tap.same(len(told), mark + 2, '... once')
server.shutdown()
# MORE
tap.same(page.stop(), 0, 'the page stops cleanly')
tap.same(agent.stop(), 0, 'the agent stops cleanly')
kept = open(m.dir + '/missent-agent.log').read() + m.trail()
tap.ok("'s-password" not in kept and secret not in kept, 'no log and no trail has a password or a secret')
tap.same(m.stop(), 0, 'missentd stops cleanly')
tap.done()
