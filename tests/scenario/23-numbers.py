"""What is counted, published, scraped by a real Prometheus, and told: pauses, overload, hanging messages, alerts."""
import http.client
import http.server
import threading
import urllib.request

from milter import *
from rig import *

tap = Tap()
S = scratch_folder()
port = free_port()
relay = free_port()
redis = Redis(S)
redis.start()
HOOK = S + '/hook'
with open(HOOK, 'w') as f:
    f.write('#!/bin/sh\necho "$1 $2" >> %s/hooked\n' % S)
os.chmod(HOOK, 0o755)
os.chmod(S, 0o777)
TEXTFILE = S + '/missent.prom'
MORE = ('hung-after = 1s\ndesk { socket = "%s/agent.sock"\n }\n'
        'metrics { listen = "127.0.0.1:%d"\n textfile = "%s"\n textfile-every = 1s }\n'
        'alerts { hook = "%s"\n mail-to = {"ops@seller.example"}\n mail-from = "missent@seller.example"\n'
        ' relay = "smtp://127.0.0.1:%d"\n mail-most = 2\n held-age = 0s\n disk-free = 0 }\n'
        % (S, port, TEXTFILE, HOOK, relay))
m = Missent(S, more=MORE, policies=POLICY, mapping=MAPPING, directory='backend = redis\nredis = "unix:%s"\n'
            'timeout = 20s\n' % redis.socket)
mails = []


def smtp():
    """Takes mails until the scenario ends, one connection at a time."""
    with socket.create_server(('127.0.0.1', relay)) as server:
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile('rwb') as f:
                def say(line):
                    f.write(line + b'\r\n')
                    f.flush()
                say(b'220 relay')
                for line in f:
                    word = line.strip().upper()
                    if word == b'DATA':
                        say(b'354 go on')
                        text = b''
                        for part in f:
                            if part == b'.\r\n':
                                break
                            text += part
                        mails.append(text.decode())
                    say(b'221 bye' if word == b'QUIT' else b'250 fine')
                    if word == b'QUIT':
                        break


threading.Thread(target=smtp, daemon=True).start()


def metrics():
    with contextlib.suppress(OSError, http.client.HTTPException):
        with urllib.request.urlopen('http://127.0.0.1:%d/metrics' % port, timeout=10) as reply:
            return reply.read().decode()
    return ''


def value(name):
    for line in metrics().splitlines():
        if line.startswith(name + ' '):
            return float(line.split()[-1])
    return None


def counts(name, want):
    return tap.ok(wait_for(lambda: value(name) == want), name, 'want %r, got %r' % (want, value(name)))


def hooked():
    with contextlib.suppress(OSError):
        return open(S + '/hooked').read().split('\n')
    return []


m.start()
agent = Program(m, 'missent-agent', '-r').start()
tap.ok(wait_for(lambda: value('missent_up') == 1), 'the agent serves what missentd publishes', metrics())

# ---- counted, not silent ----
client = Client(m.socket)
tap.same([client.send(message('s', RIGHT), ['kunde@alpha.example']), client.send(message('s', WRONG), ['kunde@alpha.example']),
          client.send(message('s', WRONG), ['kunde@alpha.example'], sender='else@seller.example')],
         ['deliver', 'hold', 'deliver'], 'a right mail, a wrong one, and one that no policy looks at')
client.close()
server = Client(m.socket, address='10.1.1.5')
for _ in range(3):
    server.send(message('s', WRONG), ['kunde@alpha.example'])
server.close()
counts('missent_messages_judged_total', 2)
counts('missent_verdicts_total{action="hold"}', 1)
counts('missent_reasons_total{reason="mismatch"}', 1)
counts('missent_messages_without_policy_total{cause="envelope"}', 1)
counts('missent_messages_not_outgoing_total{cause="private-client"}', 3)
counts('missent_stage_duration_seconds_count{stage="whole"}', 2)
counts('missent_held_messages', 1)
text = m.tool('status')
tap.ok('not outgoing (client 10.1.1.5: 3)' in text and m.code == 0, 'missent status says what went by, and from where', text)

# ---- what is never there ----
body = metrics()
leaks = [w for w in ('seller.example', 'alpha.example', 'C-1000', '10.1.1.5', 'kunde') if w in body]
tap.same(leaks, [], 'no address, account or identifier is in the metrics')
tap.ok(wait_for(lambda: os.path.exists(TEXTFILE) and 'missent_up 1' in open(TEXTFILE).read()), 'so it is in the textfile')


def asks(text):
    with socket.create_connection(('127.0.0.1', port), 10) as s:
        s.sendall(text)
        s.shutdown(socket.SHUT_WR)
        return s.makefile('rb').read().split(b'\r\n')[0]


tap.same([asks(b'POST /metrics HTTP/1.0\r\n\r\n').split()[1:2], asks(b'GET /etc/passwd HTTP/1.0\r\n\r\n').split()[1:2]],
         [[b'405'], [b'404']], 'nothing else is served')

# ---- counters go on ----
m.signal(signal.SIGUSR1)
wait_for(lambda: value('missent_reloads_total{result="fine"}') == 1)
counts('missent_messages_judged_total', 2)
m.kill()
tap.ok(wait_for(lambda: 'silent on' in hooked(), 40), 'a missentd that is killed is told', hooked())
m.start()
tap.ok(wait_for(lambda: 'silent off' in hooked(), 40), 'and when it is back', hooked())
tap.ok((value('missent_messages_judged_total') or 0) >= 2, 'counters go on from before')

# ---- a pause ----
text = m.tool('pause', '--for', '1h', '--why', 'the billing run')
tap.ok('paused until' in text and m.code == 0, 'missent pause', text)
tap.same(json.loads(m.tool('status', '--json'))['total']['missent_paused'], 1, '... which has begun when it is said')
tap.ok(wait_for(lambda: value('missent_paused') == 1), 'it is in the metrics within a second or two')
client = Client(m.socket)
tap.same(client.send(message('s', WRONG), ['kunde@alpha.example']), 'deliver', 'a wrong mail is let through')
counts('missent_messages_paused_total', 1)
tap.ok('the billing run' in m.tool('held', 'list', '--observed') and 'paused until' in m.tool('status'),
       'each command says that it is paused')
m.stop()
m.start()
client = Client(m.socket)
tap.same(client.send(message('s', WRONG), ['kunde@alpha.example']), 'deliver', 'it survives a restart')
m.tool('resume')
tap.ok(wait_for(lambda: value('missent_paused') == 0), 'missent resume')
tap.same(client.send(message('s', WRONG), ['kunde@alpha.example']), 'hold', 'and mail is held again')
m.tool('pause', '--for', '2s', '--why', 'short')
wait_for(lambda: value('missent_paused') == 1)
tap.ok(wait_for(lambda: value('missent_paused') == 0), 'one that is not ended ends by itself')
tap.same(client.send(message('s', WRONG), ['kunde@alpha.example']), 'hold', 'and mail is held again')
acts = [a['event'] for a in m.audit(events=True) if a.get('event') in ('pause', 'resume', 'pause over')]
tap.same(acts, ['pause', 'resume', 'pause over', 'pause', 'pause over'] if acts[1:2] == ['resume']
         else ['pause', 'pause over', 'resume', 'pause', 'pause over'], 'all of it is on record')
tap.ok(wait_for(lambda: hooked().count('paused on') >= 1 and 'paused off' in hooked()), 'and was told', hooked())

# ---- a message that hangs ----
redis.process.send_signal(signal.SIGSTOP)
answer = []
thread = threading.Thread(target=lambda: answer.append(client.send(message('s', RIGHT), ['kunde@alpha.example'])))
thread.start()
tap.ok(wait_for(lambda: (value('missent_messages_hanging') or 0) >= 1), 'a message in hand for too long is seen')
tap.ok(wait_for(lambda: 'hung on' in hooked()), 'and told', hooked())
redis.process.send_signal(signal.SIGCONT)
thread.join(60 * PATIENCE)
tap.ok(wait_for(lambda: value('missent_messages_hanging') == 0) and wait_for(lambda: 'hung off' in hooked()),
       'and when it went on')
client.close()

# ---- told by mail, as much as an hour may have ----
tap.ok(wait_for(lambda: len(mails) == 2, 20) and any('silent' in t for t in mails), 'mails through the relay',
       '\n'.join(mails))
time.sleep(2)
tap.same(len(mails), 2, 'no more than mail-most in an hour')

# ---- a real Prometheus ----
if not shutil.which('prometheus') or not shutil.which('promtool'):
    tap.skip('Prometheus scrapes it', 'prometheus is not installed')
else:
    rules = SOURCE + '/contrib/prometheus/missent.rules.yml'
    done = subprocess.run(['promtool', 'check', 'rules', rules], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 0, 'promtool check rules', done.stdout)
    done = subprocess.run(['promtool', 'check', 'metrics'], input=metrics(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    tap.ok(done.returncode == 0, 'promtool check metrics', done.stdout)
    with open(S + '/prometheus.yml', 'w') as f:
        f.write('global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: ["%s"]\nscrape_configs:\n'
                '  - job_name: missent\n    static_configs: [{targets: ["127.0.0.1:%d"]}]\n' % (rules, port))
    web = free_port()
    prometheus = subprocess.Popen(['prometheus', '--config.file=' + S + '/prometheus.yml', '--storage.tsdb.path=' + S + '/tsdb',
                                   '--web.listen-address=127.0.0.1:%d' % web], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
    atexit.register(prometheus.kill)

    def query(expression):
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            url = 'http://127.0.0.1:%d/api/v1/query?query=%s' % (web, urllib.request.quote(expression))
            with urllib.request.urlopen(url, timeout=5) as reply:
                return json.load(reply)['data']['result']
        return []

    tap.ok(wait_for(lambda: [r['value'][1] for r in query('missent_up')] == ['1'], 40), 'Prometheus scrapes it')
    with open(SOURCE + '/contrib/prometheus/grafana-missent.json') as f:
        panels = json.load(f)['panels']
    names = set(re.findall(r'missent_[a-z_]+', ' '.join(t['expr'] for p in panels for t in p['targets'])))
    known = metrics()
    tap.same(sorted(n for n in names if not re.search(r'^%s[ {]' % n, known, re.M)), [],
             'each metric of the dashboard is there')

    def answers(expression):
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            url = 'http://127.0.0.1:%d/api/v1/query?query=%s' % (web, urllib.request.quote(expression))
            with urllib.request.urlopen(url, timeout=5) as reply:
                return json.load(reply)['status'] == 'success'
        return False

    tap.same([t['expr'] for p in panels for t in p['targets'] if not answers(t['expr'])], [], '... and each query of it is one')
    tap.same(len({p['id'] for p in panels}), len(panels), '... each panel has a number of its own')

    def rules_health():
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            with urllib.request.urlopen('http://127.0.0.1:%d/api/v1/rules' % web, timeout=5) as reply:
                return {r['name']: r['health'] for g in json.load(reply)['data']['groups'] for r in g['rules']}
        return {}

    tap.ok(wait_for(lambda: len(rules_health()) > 12 and set(rules_health().values()) == {'ok'}), 'each rule is evaluated', rules_health())
    used = set(re.findall(r'missent_[a-z_]+', open(rules).read()))
    tap.same(sorted(n for n in used if not re.search(r'^%s[ {]' % n, known, re.M)), [], 'each metric of the rules is there')
    m.tool('pause', '--for', '1h', '--why', 'try the rule')
    tap.ok(wait_for(lambda: query('ALERTS{alertname="MissentPaused",alertstate="firing"}'), 30), 'a rule fires')
    prometheus.terminate()
    prometheus.wait(20)
agent.stop()
m.stop()
tap.done()
