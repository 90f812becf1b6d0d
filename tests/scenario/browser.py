"""A real browser: Debian's Chromium, driven over the WebDriver protocol (W3C), which is JSON over
HTTP; nothing else is needed."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from rig import *

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
TAB, ENTER, SPACE, DOWN = '\ue004', '\ue007', ' ', '\ue015'


def missing():
    """None, or why there is no browser."""
    for name in ('chromium', 'chromedriver'):
        if shutil.which(name) is None:
            return name + ' is not installed'
    return None


class Element:
    def __init__(self, browser, name):
        self.browser, self.name = browser, name

    def call(self, method, path, body=None):
        return self.browser.call(method, '/element/%s%s' % (self.name, path), body)

    @property
    def text(self):
        return self.call('GET', '/text')

    def click(self):
        self.call('POST', '/click', {})

    def type(self, text, clear=True):
        if clear:
            self.call('POST', '/clear', {})
        self.call('POST', '/value', {'text': text})

    def attribute(self, name):
        return self.call('GET', '/attribute/' + name)


class Browser:
    def __init__(self, language='en', width=1280, height=900):
        self.profile = tempfile.mkdtemp(prefix='missent-browser-')
        self.port = free_port()
        self.driver = subprocess.Popen(['chromedriver', '--port=%d' % self.port],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.close)
        wait_for(lambda: listens(self.port), 30)
        options = {'binary': '/usr/bin/chromium', 'args': [
            '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--disable-dev-shm-usage', '--force-color-profile=srgb', '--hide-scrollbars',
            # Not what many sites and their pictures need: fewer processes, less work.
            '--in-process-gpu', '--disable-software-rasterizer', '--renderer-process-limit=1',
            '--disable-site-isolation-trials',
            '--disable-features=BackForwardCache,IsolateOrigins,SpareRendererForSitePerProcess,site-per-process',
            '--lang=' + language, '--user-data-dir=' + self.profile],
            'prefs': {'intl.accept_languages': language}}
        reply = self.request('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': options, 'unhandledPromptBehavior': 'accept',
            'goog:loggingPrefs': {'browser': 'ALL'}}}})
        self.session = reply['sessionId']
        self.size(width, height)

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request('http://127.0.0.1:%d%s' % (self.port, path), data, method=method,
                                         headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return json.load(reply)['value']
        except urllib.error.HTTPError as e:
            raise RuntimeError(json.load(e)['value'].get('message', '').split('\n')[0]) from None

    def call(self, method, path, body=None):
        return self.request(method, '/session/%s%s' % (self.session, path), body)

    def close(self):
        if self.driver is None:
            return
        with contextlib.suppress(Exception):
            self.call('DELETE', '')
        self.driver.kill()
        self.driver.wait()
        self.driver = None
        shutil.rmtree(self.profile, True)

    def go(self, url):
        self.call('POST', '/url', {'url': url})

    @property
    def url(self):
        return self.call('GET', '/url')

    @property
    def source(self):
        return self.call('GET', '/source')

    @property
    def text(self):
        return self.find('body').text

    def all(self, css):
        return [Element(self, e[ELEMENT]) for e in
                self.call('POST', '/elements', {'using': 'css selector', 'value': css})]

    def find(self, css, text=None):
        """The first that matches, with that text if one is given."""
        found = wait_for(lambda: [e for e in self.all(css) if text is None or text in e.text], 5)
        if not found:
            raise RuntimeError('there is no %s %s on %s' % (css, text or '', self.url))
        return found[0]

    def press(self, css, text=None):
        """Clicks, and waits for the page that comes of it."""
        before = self.find('html')
        self.find(css, text).click()

        self.left(before)

    def left(self, page):
        """Waits until another page than that `html` is there, whole: one that is still arriving says only a part."""
        def gone():
            try:
                page.attribute('lang')
                return False
            except RuntimeError:
                return True
        if not wait_for(gone, 20):
            return False
        self.find('main')
        return wait_for(lambda: self.script('return document.readyState') == 'complete', 20)

    def keys(self, *keys):
        """Typed at whatever has the focus, once the page's script is there to see it."""
        wait_for(lambda: self.script('return document.readyState') == 'complete')
        actions = []
        for key in keys:
            actions += [{'type': 'keyDown', 'value': key}, {'type': 'keyUp', 'value': key}]
        self.call('POST', '/actions', {'actions': [{'type': 'key', 'id': 'k', 'actions': actions}]})

    def script(self, text, *args):
        return self.call('POST', '/execute/sync', {'script': text, 'args': list(args)})

    def size(self, width, height):
        self.call('POST', '/goog/cdp/execute', {'cmd': 'Emulation.setDeviceMetricsOverride', 'params': {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 600}})

    def media(self, name):
        """As on "print"; "" is the screen again."""
        self.call('POST', '/goog/cdp/execute', {'cmd': 'Emulation.setEmulatedMedia', 'params': {'media': name}})

    def cookies(self):
        return self.call('GET', '/cookie')

    def forget(self):
        self.call('DELETE', '/cookie')

    def console(self):
        return [x['message'] for x in self.call('POST', '/se/log', {'type': 'browser'})]

    def picture(self, path):
        shot = self.call('POST', '/goog/cdp/execute', {'cmd': 'Page.captureScreenshot', 'params': {
            'format': 'png', 'captureBeyondViewport': True}})
        with open(path, 'wb') as f:
            f.write(base64.b64decode(shot['data']))

    def small(self, path, width=1360, height=780):
        """The upper part of the page at half its size, for a text."""
        shot = self.call('POST', '/goog/cdp/execute', {'cmd': 'Page.captureScreenshot', 'params': {
            'format': 'png', 'clip': {'x': 0, 'y': 0, 'width': width, 'height': height, 'scale': 0.55}}})
        with open(path, 'wb') as f:
            f.write(base64.b64decode(shot['data']))
