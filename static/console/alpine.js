// What Unfold's pages ask of Alpine, for its build without eval: that build reads names from the data of a page only,
// not from `window`, and reads single expressions only.
document.addEventListener("alpine:init", () => {
  const kept = {
    getItem: (name) => localStorage.getItem(name),
    setItem: (name, value) => localStorage.setItem(name, value),
  };

  Alpine.data("theme", (chosen) => ({
    ...theme(chosen),
    window: { location: { pathname: location.pathname, search: location.search } },
    localStorage: kept,
  }));

  Alpine.data("frame", (tab) => ({
    activeTab: getCurrentTab() || tab,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: (kept.getItem("sidebarDesktopOpen") ?? "1") === "1",
    init() {
      this.$watch("sidebarDesktopOpen", (open) => kept.setItem("sidebarDesktopOpen", open ? "1" : "0"));
    },
  }));

  Alpine.data("searchForm", searchForm);
  Alpine.data("searchDropdown", searchDropdown);
  Alpine.data("searchCommand", searchCommand);
});
