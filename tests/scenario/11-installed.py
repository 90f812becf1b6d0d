"""Installed as the README says, on a machine with systemd: units, users and groups, the set-user-ID helper, the
page as a user of its own; once with Debian's Postfix, in its chroot, and once with Debian's Sendmail."""
import re

from machine import *

tap = Tap()
P = paths()
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
    url, text = go('/message/' + uid, token=token(text), verb=verb, why='asked by phone', sure='1', others='1' if verb == 'release' else '',
                   **({'to': sys.argv[3]} if sys.argv[3:] else {}))
print(json.dumps(text))
'''


def page(box, uid, *what):
    return box.python(PAGE, uid, *what)


def sunk(box, word, n=1, seconds=15):
    """The envelope recipients of what arrived with that word in it."""
    def copies():
        out = []
        for path in glob.glob(box.sink + '/*'):
            with open(path, errors='replace') as f:
                text = f.read()
            if word in text:
                out.append(sorted(re.findall('^X-Rcpt-Args: <([^>]*)>', text, re.M)))
        return out
    wait_for(lambda: len(copies()) >= n, seconds)
    return sorted(copies())


def record(box, name):
    return json.loads(box.run('missent', 'held', 'show', '--json', name)[1])


def hold(box, subject, to=('kunde@alpha.example',)):
    name = box.queue_id(box.send(message(subject, WRONG), list(to)))
    wait_for(lambda: box.held() == 1)
    return name


def installed(box):
    """As the README says."""
    done = subprocess.run(['make', '-C', BUILD, '-s', 'install', 'DESTDIR=' + box.root], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 0, 'make install', done.stdout)
    os.chown(box.root + HELPER, 0, 12345)
    os.chmod(box.root + HELPER, 0o4750)
    subprocess.run(['make', '-C', BUILD, '-s', 'install', 'DESTDIR=' + box.root], check=True, stdout=subprocess.DEVNULL)
    st = os.stat(box.root + HELPER)
    tap.ok((st.st_gid, st.st_mode & 0o7777) == (12345, 0o4750), 'make install over it leaves the helper its right',
           oct(st.st_mode))
    conf = ETC + '/missent.conf'
    with open(box.root + conf) as f:
        text = f.read()
    box.write(conf, box.settings(text).replace('mode = observe', 'mode = enforce'))
    why = box.boot()
    if why:
        return why
    box.start_sink()
    for name, command in (
            ('users and groups', 'systemd-sysusers'), ('folders', 'systemd-tmpfiles --create missent.conf'),
            ('the MTA knows of it', box.join()), ('a site key', 'missent directory key'),
            ('the units are known', 'systemctl daemon-reload'), (box.kind, 'systemctl start ' + box.services)):
        code, out = box.sh(command)
        tap.ok(code == 0, name, out + box.journal())
    code, out = box.run('missent', 'directory', 'import', '-', stdin=CSV)
    tap.ok(code == 0, 'a directory', out)
    box.write(ETC + '/policies/invoices.conf', POLICY)
    code, out = box.run('missent', 'review', 'adduser', 'anna', stdin="anna's-password\n")
    tap.ok(code == 0, 'an account', out)
    code, out = box.run('missent', 'config', 'check')
    tap.ok(code == 0, 'the configuration is checked', out)
    code, out = box.sh('systemctl enable --now missent missent-agent missent-review')
    tap.ok(code == 0, 'the services start', out + box.journal('missent', 'missent-agent', 'missent-review'))
    code, out = box.sh('ps -o user:20=,comm= -C missentd,missent-agent,missent-review | sort -u')
    tap.same(out.split(), ['missent', 'missent-agent', 'missent', 'missentd', 'missent-review', 'missent-review'],
             '... each as its user')
    code, out = box.sh('systemd-analyze verify --man=no missent.service missent-agent.service missent-review.service')
    tap.ok(code == 0 and 'missent' not in out, '... and systemd has nothing to say against the units', out)
    return None


def rights(box, name):
    """Who may do what."""
    code, out = box.sh('runuser -u missent -- %s --mta %s list' % (HELPER, box.kind.lower()))
    tap.ok(code == 0 and name in out, 'missent may use the helper', out)
    code, out = box.sh('runuser -u missent -- %s --config /tmp list' % HELPER)
    tap.ok(code == 64, '... for the MTA\'s own paths only', out)
    for user in ('nobody', 'missent-review'):
        code, out = box.sh('runuser -u %s -- %s list' % (user, HELPER))
        tap.ok(code != 0 and 'denied' in out, '%s may not' % user, out)
    for path in (ETC + '/site.key', STATE + '/spool', STATE + '/agent/accounts.db'):
        code, out = box.sh('runuser -u missent-review -- test -r ' + path)
        tap.ok(code != 0, 'the page cannot read ' + os.path.basename(path), out)
    code, out = box.sh('runuser -u missent-review -- test -r %s/held.db' % STATE)
    tap.ok(code == 0, '... only the records', out)
    code, out = box.sh('runuser -u nobody -- test -r %s/held.db' % STATE)
    tap.ok(code != 0, '... which nobody else can', out)


def used(box):
    code, reply = box.send(message('right one', RIGHT), ['kunde@alpha.example'])
    tap.ok(code == 250 and sunk(box, 'right one') == [['kunde@alpha.example']], 'right mail is delivered', reply)
    wrong = hold(box, 'wrong one')
    tap.ok(box.held() == 1 and wrong in box.run('missent', 'held', 'list')[1], 'wrong mail is held', wrong)
    code, out = box.sh('runuser -u missent -- missent held list')
    tap.ok(wrong in out, '... as missent\'s user sees too', out)
    rights(box, wrong)
    uid = record(box, wrong)['uid']
    text = page(box, uid, 'reveal')
    tap.ok('C-10002' in text and 'id="evidence"' in text, 'the page shows it, read again by the agent',
           text[-3000:] + box.journal('missent-agent'))
    code, out = box.sh('systemctl restart missent')
    tap.ok(code == 0 and 'id="evidence"' in page(box, uid, 'reveal'), '... also after a restart of missentd', out)
    text = page(box, uid, 'release')
    tap.ok('Done.' in text and sunk(box, 'wrong one') == [['kunde@alpha.example']], 'released by the set-user-ID helper',
           text[-2000:] + str(box.held()))
    some = hold(box, 'to some', ['kunde@alpha.example', 'x@beta.example'])
    text = page(box, record(box, some)['uid'], 'release-some', 'x@beta.example')
    tap.ok('Done.' in text and sunk(box, 'to some') == [['x@beta.example']], 'released to one, by a submission',
           text[-2000:])
    tap.same([x['state'] for x in record(box, some)['recipients']], ['held', 'released'], '... the other stays held')
    code, out = box.run('missent', 'held', 'return', some, '-w', 'wrong')
    tap.ok(code == 0 and sunk(box, 'report-type') == [['billing@seller.example']], 'returned, in a root shell', out)
    gone = hold(box, 'to delete')
    text = page(box, record(box, gone)['uid'], 'delete')
    tap.ok('Done.' in text and box.held() == 0, 'deleted by the set-user-ID helper', text[-2000:])


def reconciled(box):
    """The MTA's log against the trail, by the unit as it is shipped."""
    code, out = box.sh('systemctl enable --now missent-reconcile.timer && systemctl is-active missent-reconcile.timer')
    tap.ok(code == 0, 'the timer of the reconciliation', out)
    code, out = box.sh('systemctl start missent-reconcile')
    log = box.journal('missent-reconcile')
    told = re.search(r'(\d+) messages; judged (\d+), released (\d+)', log)
    tap.ok(code == 0 and told and int(told.group(2)) >= 2 and int(told.group(3)) >= 1 and 'bypass' not in log,
           '... it reads the journal, and what was judged went as it was judged', out + log)
    if box.kind != 'Postfix':
        return
    code, out = box.sh("postconf -Me '10099/inet=10099 inet n - y - - smtpd -o receive_override_options=no_milters' && postfix reload")
    tap.ok(wait_for(lambda: box.send(message('went by', RIGHT), ['kunde@alpha.example'], port=10099)[0] == 250)
           and sunk(box, 'went by'), 'a mail goes by', out)
    code, out = box.sh('systemctl start missent-reconcile')
    log = box.journal('missent-reconcile')
    tap.ok(code != 0 and 'bypass' in log and 'service 10099 (master.cf) has no_milters' in log, '... which makes the unit fail, '
           'and is told with its reason', log)
    tap.ok(wait_for(lambda: 'alert=bypass, state=on' in box.journal('missent-agent')), '... and the agent tells it')
    tap.ok(not tells(log), '... without an identifier')
    box.sh("postconf -MX 10099/inet; postfix reload; systemctl reset-failed missent-reconcile")


def ended(box):
    box.write(ETC + '/policies/invoices.conf', POLICY + 'policy "second" {\n\tkinds = {"iban"}\n}\n')
    code, out = box.sh('systemctl reload missent')
    tap.ok(code == 0 and wait_for(lambda: 'reloaded, policies=' in box.journal('missent')), 'systemctl reload', out)
    box.write(ETC + '/policies/invoices.conf', POLICY + 'policy "second" {\n\tkindz = {"iban"}\n}\n')
    code, out = box.sh('systemctl reload missent')
    tap.ok(code != 0 and box.run('systemctl', 'is-active', 'missent')[0] == 0, '... fails where the reload failed', out)
    code, out = box.sh('systemctl stop missent-review missent-agent missent && '
                       'systemctl show -p Result,ExecMainStatus missent-review missent-agent missent')
    tap.ok(code == 0 and out.count('Result=success') == 3 and out.count('ExecMainStatus=0') == 3, 'all stop cleanly', out)
    log = box.journal('missent', 'missent-agent', 'missent-review')
    tap.ok(not tells(log) and 'anna\'s' not in log, 'the journal has no identifier and no password', log)
    code, reply = box.send(message('while away', RIGHT), ['kunde@alpha.example'])
    tap.ok(code == 451, 'without missentd mail waits at its sender', reply)


for kind in (WithPostfix, WithSendmail):
    machine = kind(scratch_folder())
    tap.ok(True, '--- with %s ---' % kind.kind)
    why = machine.lay() or machine.prepare() or installed(machine)
    if why:
        tap.skip('missent installed beside %s on a machine with systemd' % kind.kind, why)
        continue
    used(machine)
    reconciled(machine)
    ended(machine)
    machine.stop()
tap.done()
