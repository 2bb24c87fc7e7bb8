const answer = await fetch("/api/time");
document.querySelector("#answer").textContent = await answer.text();
