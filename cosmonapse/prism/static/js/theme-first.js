// Put the chosen theme on the page before anything is drawn. The one script that is no module.
try {
  const chosen = localStorage.getItem("prism.theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
    document.getElementById("light").media = chosen === "light" ? "all" : "not all";
  }
} catch {
  // No storage (a private window): the system's theme it is.
}
