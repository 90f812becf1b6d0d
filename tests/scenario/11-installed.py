"""Installed as the README says, on a machine with systemd: units, users and groups, the set-user-ID helper, the
page as a user of its own, and Debian's Postfix in its chroot."""
import re

from machine import *

tap = Tap()
S = scratch_folder()
P = paths()
box = Machine(S)
ETC = P['sysconfdir'] + '/missent'
STATE = P['localstatedir'] + '/lib/missent'
HELPER = P['pkglibexecdir'] + '/missent-release'
CSV = 'account,kind,value\n' + ''.join('%s,%s,"%s"\n' % row for row in MAPPING)
PAGE = '''
import http.cookiejar, json, re, sys, urllib.parse, urllib.request
site = 'http://127.0.0.1:8025'
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
def go(path, **form):
    data = urllib.parse.urlencode(form).encode() if form else None
    with browser.open(urllib.request.Request(site + path, data, headers={'Origin': site}), timeout=60) as reply:
        return reply.geturl(), reply.read().decode()
def token(text):
    return re.search('name="token" value="([^"]+)"', text).group(1)
url, text = go('/login', name='anna', password="anna's-password")
uid, verb = sys.argv[1:3]
url, text = go('/message/' + uid)
if verb == 'reveal':
    url, text = go('/message/%s/reveal' % uid, token=token(text))
else:
    url, text = go('/message/' + uid, token=token(text), verb=verb, why='asked by phone',
                   **({'to': sys.argv[3]} if sys.argv[3:] else {}))
print(json.dumps(text))
'''
why = box.lay()
if why:
    tap.skip('missent installed on a machine with systemd', why)
    tap.done()


def page(uid, *what):
    return box.python(PAGE, uid, *what)


def sunk(word, n=1, seconds=15):
    """The envelope recipients of what arrived with that word in it."""
    def copies():
        out = []
        for path in glob.glob(box.root + '/var/sink/*'):
            with open(path, errors='replace') as f:
                text = f.read()
            if word in text:
                out.append(sorted(re.findall('^X-Rcpt-Args: <([^>]*)>', text, re.M)))
        return out
    wait_for(lambda: len(copies()) >= n, seconds)
    return sorted(copies())


def record(name):
    return json.loads(box.run('missent', 'held', 'show', '--json', name)[1])


def hold(subject, to=('kunde@alpha.example',)):
    code, reply = box.send(message(subject, WRONG), list(to))
    return queue_id((code, reply))


def held():
    return box.run('postqueue', '-j')[1].count('"queue_name": "hold"')


# ---- as the README says ----
done = subprocess.run(['make', '-C', BUILD, '-s', 'install', 'DESTDIR=' + box.root], stdout=subprocess.PIPE,
                      stderr=subprocess.STDOUT, text=True)
tap.ok(done.returncode == 0, 'make install', done.stdout)
with open('/usr/share/postfix/master.cf.dist') as f:
    box.write('/etc/postfix/master.cf', f.read())
with open(SOURCE + '/contrib/postfix-main.cf') as f:
    box.write('/etc/postfix/main.cf', 'compatibility_level = 3.6\nmyhostname = mx.seller.example\ninet_interfaces = '
              'loopback-only\ninet_protocols = ipv4\nmydestination =\nmynetworks = 127.0.0.0/8\nmaillog_file =\n'
              'relayhost = [127.0.0.1]:2525\nsmtp_host_lookup = native\nalias_maps =\nalias_database =\n' + f.read())
box.write('/etc/systemd/system/sink.service', '[Service]\nExecStartPre=/bin/mkdir -p -m 777 /var/sink\n'
          'ExecStart=/usr/sbin/smtp-sink -u nobody -c -d /var/sink/%%s. 127.0.0.1:2525 64\n')
why = box.boot()
if why:
    tap.skip('missent installed on a machine with systemd', why)
    tap.done()
for name, command in (
        ('users and groups', 'systemd-sysusers'), ('folders', 'systemd-tmpfiles --create missent.conf'),
        ('the MTA\'s socket folder', 'usermod -aG postfix missent'), ('a site key', 'missent directory key'),
        ('the units are known', 'systemctl daemon-reload'), ('Postfix', 'systemctl start sink postfix')):
    code, out = box.sh(command)
    tap.ok(code == 0, name, out)
code, out = box.run('missent', 'directory', 'import', '-', stdin=CSV)
tap.ok(code == 0, 'a directory', out)
box.write(ETC + '/policies/invoices.conf', POLICY)
conf = ETC + '/missent.conf'
with open(box.root + conf) as f:
    text = f.read()
box.write(conf, text.replace('mode = observe', 'mode = enforce'))
code, out = box.run('missent', 'review', 'adduser', 'anna', stdin="anna's-password\n")
tap.ok(code == 0, 'an account', out)
code, out = box.run('missent', 'config', 'check')
tap.ok(code == 0, 'the configuration is checked', out)
code, out = box.sh('systemctl enable --now missent missent-agent missent-review')
tap.ok(code == 0, 'the services start', out + box.journal('missent', 'missent-agent', 'missent-review'))
code, out = box.sh('ps -o user:20=,comm= -C missentd,missent-agent,missent-review | sort -u')
tap.same(out.split(), ['missent', 'missent-agent', 'missent', 'missentd', 'missent-review', 'missent-review'],
         '... each as its user')
code, out = box.sh('systemd-analyze verify missent.service missent-agent.service missent-review.service')
tap.ok(code == 0 and 'missent' not in out, '... and systemd has nothing to say against the units', out)

# ---- mail ----
code, reply = box.send(message('right one', RIGHT), ['kunde@alpha.example'])
tap.ok(code == 250 and sunk('right one') == [['kunde@alpha.example']], 'right mail is delivered', reply)
wrong = hold('wrong one')
tap.ok(wait_for(lambda: held() == 1) and wrong in box.run('missent', 'held', 'list')[1], 'wrong mail is held', reply)
code, out = box.sh('runuser -u missent -- missent held list')
tap.ok(wrong in out, '... as missent\'s user sees too', out)

# ---- who may do what ----
code, out = box.sh('runuser -u missent -- %s list' % HELPER)
tap.ok(code == 0 and wrong in out, 'missent may use the helper', out)
code, out = box.sh('runuser -u missent -- %s --config /tmp list' % HELPER)
tap.ok(code == 64, '... for the MTA\'s own paths only', out)
for user in ('nobody', 'missent-review'):
    code, out = box.sh('runuser -u %s -- %s list' % (user, HELPER))
    tap.ok(code != 0 and 'denied' in out, '%s may not' % user, out)
for path in (ETC + '/site.key', STATE + '/spool'):
    code, out = box.sh('runuser -u missent-review -- test -r ' + path)
    tap.ok(code != 0, 'the page cannot read ' + os.path.basename(path), out)
code, out = box.sh('runuser -u missent-review -- test -r %s/held.db' % STATE)
tap.ok(code == 0, '... only the records', out)
code, out = box.sh('runuser -u nobody -- test -r %s/held.db' % STATE)
tap.ok(code != 0, '... which nobody else can', out)

# ---- the page ----
uid = record(wrong)['uid']
text = page(uid, 'reveal')
tap.ok('C-10002' in text and 'id="evidence"' in text, 'the page shows it, read again by the agent',
       text[-3000:] + box.journal('missent-agent'))
code, out = box.sh('systemctl restart missent')
tap.ok(code == 0 and 'id="evidence"' in page(uid, 'reveal'), '... also after a restart of missentd', out)
text = page(uid, 'release')
tap.ok('Done.' in text and sunk('wrong one') == [['kunde@alpha.example']], 'released by the set-user-ID helper', text)
some = hold('to some', ['kunde@alpha.example', 'x@beta.example'])
wait_for(lambda: held() == 1)
text = page(record(some)['uid'], 'release-some', 'x@beta.example')
tap.ok('Done.' in text and sunk('to some') == [['x@beta.example']], 'released to one, by a submission', text)
tap.same([x['state'] for x in record(some)['recipients']], ['held', 'released'], '... the other stays held')
code, out = box.run('missent', 'held', 'return', some, '-w', 'wrong')
tap.ok(code == 0 and sunk('report-type') == [['billing@seller.example']], 'returned, in a root shell', out)

# ---- running ----
box.write(ETC + '/policies/invoices.conf', POLICY + 'policy "second" {\n\tkinds = {"iban"}\n}\n')
code, out = box.sh('systemctl reload missent')
tap.ok(code == 0 and wait_for(lambda: 'reloaded, policies=' in box.journal('missent')), 'systemctl reload', out)
code, out = box.sh('systemctl stop missent-review missent-agent missent && '
                   'systemctl show -p Result,ExecMainStatus missent-review missent-agent missent')
tap.ok(code == 0 and out.count('Result=success') == 3 and out.count('ExecMainStatus=0') == 3, 'all stop cleanly', out)
log = box.journal('missent', 'missent-agent', 'missent-review')
tap.ok('10002' not in log and 'anna\'s' not in log, 'the journal has no identifier and no password')
code, reply = box.send(message('while away', RIGHT), ['kunde@alpha.example'])
tap.ok(code == 451, 'without missentd mail waits at its sender', reply)
tap.done()
