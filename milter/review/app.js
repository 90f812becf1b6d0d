// The page works without this.  It keeps the counter up to date, asks before what cannot be
// undone, and lets the arrow keys (or j and k) go through the list.
"use strict";
(function () {
	const counter = document.getElementById("counter");
	async function count() {
		try {
			const reply = await fetch("/counter", {credentials: "same-origin"});
			if (reply.status === 401) { location.reload(); return; }
			if (!reply.ok) return;
			const now = await reply.json();
			counter.querySelector("[data-held]").textContent = now.held;
			counter.querySelector("[data-oldest]").textContent = now.oldest;
		} catch (e) { /* the next time, perhaps */ }
	}
	if (counter) setInterval(function () { if (!document.hidden) count(); }, 10000);

	document.addEventListener("submit", function (event) {
		const button = event.submitter;
		if (button && button.classList.contains("danger") && !confirm(button.textContent + "?")) {
			event.preventDefault();
			return;
		}
		// Twice the same decision is a mistake.
		setTimeout(function () {
			event.target.querySelectorAll("button").forEach(function (b) { b.disabled = true; });
		}, 0);
	});

	document.addEventListener("keydown", function (event) {
		if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
		const step = {j: 1, ArrowDown: 1, k: -1, ArrowUp: -1}[event.key];
		const links = Array.from(document.querySelectorAll(".list a.id"));
		if (event.key === "/" && document.querySelector("input[type=search]")) {
			event.preventDefault();
			document.querySelector("input[type=search]").focus();
		} else if (step && links.length > 0 && (event.key.length === 1 || links.includes(document.activeElement))) {
			event.preventDefault();
			const at = links.indexOf(document.activeElement);
			links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
		}
	});
})();
