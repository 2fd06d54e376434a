// Runs before the first paint, so that a chosen theme does not flash; a file because the page allows no inline scripts.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is blocked: the system's choice holds
}
