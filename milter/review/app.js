// The page works without this.  It keeps the counter up to date, asks before what cannot be undone, and
// lets everything be done with keys ("?" shows them).  It has no words of its own: they come with the page.
"use strict";
(function () {
	const $ = (css, root) => (root || document).querySelector(css);
	const all = (css, root) => Array.from((root || document).querySelectorAll(css));

	// ---- what a form brought ----
	// It is not kept, and sent once: who comes back to it, or loads it again, gets the page of the form anew.
	const again = $("main").dataset.again;
	if (again) history.replaceState(null, "", again);

	// ---- the counter ----
	const counter = document.getElementById("counter");
	// What is written anew is read out anew, also if it is the same.
	function show(element, text) { if (element.textContent !== String(text)) element.textContent = text; }
	// Who types is there, and who was typing when the session ended finds the words again.
	let typed = false;
	document.addEventListener("input", function () { typed = true; });
	async function count() {
		try {
			const path = typed ? "/counter?typed=1" : "/counter";
			typed = false;
			const reply = await fetch(path, {credentials: "same-origin"});
			if (reply.status === 401) { keep(); location.reload(); return; }
			if (!reply.ok) return;
			const now = await reply.json();
			show($("[data-held]", counter), now.held);
			show($("[data-oldest]", counter), now.oldest);
		} catch (e) { /* the next time, perhaps */ }
	}
	if (counter) setInterval(function () { if (!document.hidden) count(); }, 10000);

	// ---- words that were typed when the session ended: for the same person, on the same page, once ----
	const me = $("a[href='/me']");
	const fields = () => all("form[method=post] input:not([type]):not([autocomplete='one-time-code'])");
	const names = () => fields().map(function (f) { return f.name; }).join();
	function keep() {
		try {
			sessionStorage.setItem("words", JSON.stringify({who: me.textContent, page: location.pathname, names: names(),
				words: fields().map(function (f) { return f.value === f.defaultValue ? null : f.value; })}));
		} catch (e) { /* nothing is kept */ }
	}
	function restore() {
		try {
			const kept = JSON.parse(sessionStorage.getItem("words")), own = fields();
			sessionStorage.removeItem("words");
			if (!kept) return;
			if (!me) sessionStorage.setItem("words", JSON.stringify(Object.assign(kept, {ended: true})));
			else if (kept.ended && kept.who === me.textContent && kept.page === location.pathname
				&& kept.names === names()) own.forEach(function (f, i) {
				if (kept.words[i] !== null) f.value = kept.words[i];
			});
		} catch (e) { /* nothing was kept */ }
	}
	restore();

	// ---- what is chosen in a list ----
	const chosen = $("[data-chosen]"), whole = $("input[name=all]");
	function tell() {
		if (chosen) chosen.textContent = whole && whole.checked ? "*" : all("input[name=uid]:checked").length;
	}
	document.addEventListener("change", tell);
	tell();

	// ---- sending ----
	let sent = false; // something about the message that is shown
	document.addEventListener("submit", function (event) {
		const button = event.submitter, form = event.target;
		if (button && button.value === "delete" && form.getAttribute("action").startsWith("/message/")
			&& !form.elements.sure) {
			if (!confirm(button.textContent + "?")) {
				event.preventDefault();
				return;
			}
			// else the page asks, on one of its own
			const sure = document.createElement("input");
			sure.type = "hidden";
			sure.name = "sure";
			sure.value = "1";
			form.append(sure);
			setTimeout(function () { sure.remove(); }, 0); // it was answered once
		}
		if (me && form.getAttribute("action") !== "/logout") keep();
		const action = form.getAttribute("action"), saves = action.endsWith("/part");
		sent = action.startsWith("/message/") && !saves;
		// Twice the same decision is a mistake; after a file is saved the page is still there.
		if (!saves) setTimeout(function () {
			all("button", form).forEach(function (b) { b.disabled = true; });
		}, 0);
	});

	// Who goes back finds the page as it was left, and what was pressed there may be pressed again; but no question
	// that was answered, no message as it was before the decision, and nothing in clear.
	window.addEventListener("pageshow", function (event) {
		if (event.persisted && (again || sent)) { location.reload(); return; }
		all("button:not([hidden])").forEach(function (b) { b.disabled = false; });
	});

	// ---- reasons: a digit, or "w" for words of one's own ----
	const why = document.getElementById("why"), help = document.getElementById("help");
	let pending = null;

	function choose(button) {
		const select = $("select[name=preset]", button.form), list = $("ol", why);
		pending = button;
		if (button.form.elements.why && button.form.elements.why.value !== "") {
			button.click();
			return;
		}
		list.replaceChildren();
		Array.from(select.options).slice(1, 10).forEach(function (option, i) {
			const line = document.createElement("li"), pick = document.createElement("button"), key = document.createElement("kbd");
			key.textContent = i + 1;
			pick.type = "button";
			pick.className = "plain";
			pick.append(key, " " + option.text);
			pick.addEventListener("click", function () { take(i + 1); });
			line.append(pick);
			list.append(line);
		});
		document.getElementById("why-title").textContent = button.textContent;
		why.showModal();
	}

	function take(number) {
		const select = $("select[name=preset]", pending.form);
		if (number >= select.options.length) return;
		select.selectedIndex = number;
		why.close();
		pending.click();
	}

	function write() {
		why.close();
		pending.form.elements.why.focus();
	}

	// In words of one's own, Enter sends what was begun, and not the first button.
	document.addEventListener("keydown", function (event) {
		if (event.key === "Enter" && event.target.name === "why" && pending && pending.form === event.target.form) {
			event.preventDefault();
			pending.click();
		}
	});

	// ---- lists ----
	const rows = () => all(".list a.go");
	function here() {
		const row = document.activeElement.closest(".list tr");
		return row ? $("a.go", row) : null;
	}
	function move(step) {
		const links = rows(), at = links.indexOf(here());
		if (links.length === 0) return false;
		links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)].focus();
		return true;
	}
	function mark() {
		const link = here(), box = link && $("input[name=uid]", link.closest("tr"));
		if (box) box.click();
	}
	function markAll() {
		const boxes = all("input[name=uid]"), on = boxes.some(function (b) { return !b.checked; });
		boxes.forEach(function (b) { b.checked = on; });
		tell();
	}
	// With nothing chosen it is about the line that is marked.
	function something(button) {
		if (!button.form.classList.contains("bulk") || (whole && whole.checked) || $("input[name=uid]:checked")) return true;
		mark();
		return $("input[name=uid]:checked") !== null;
	}

	// ---- keys ----
	function press(key) {
		const element = $('[data-key="' + CSS.escape(key) + '"]');
		if (!element) return false;
		if (element.tagName === "BUTTON" && $("select[name=preset]", element.form) && element.value !== "rejudge") {
			if (something(element)) choose(element);
		} else if (element.tagName !== "BUTTON" || something(element)) {
			element.click();
		}
		return true;
	}

	function inDialog(event) {
		if (!why.open) return help.open;
		if (event.key >= "1" && event.key <= "9") take(Number(event.key));
		else if (event.key === "w") write();
		else return true;
		event.preventDefault();
		return true;
	}

	const own = {
		"?": function () { help.showModal(); return true; },
		"/": function () { const s = $("input[type=search]"); if (s) { s.focus(); s.select(); } return s !== null; },
		"x": function () { mark(); return true; },
		"*": function () { markAll(); return true; },
		"j": function () { return press("j") || move(1); },
		"k": function () { return press("k") || move(-1); },
		"ArrowDown": function () { return here() !== null && move(1); },
		"ArrowUp": function () { return here() !== null && move(-1); },
	};

	document.addEventListener("keydown", function (event) {
		if (!why || event.ctrlKey || event.metaKey || event.altKey || inDialog(event)) return;
		if (event.key === "Escape" && event.target.closest("input, textarea")) { event.target.blur(); return; }
		if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
		const done = own[event.key] ? own[event.key]() : /^[a-z]$/.test(event.key) && press(event.key);
		if (done) event.preventDefault();
	});

	const keys = document.getElementById("keys");
	if (keys) {
		keys.hidden = false;
		keys.addEventListener("click", function () { help.showModal(); });
	}
})();
