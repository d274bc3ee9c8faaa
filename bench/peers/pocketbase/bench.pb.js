// PocketBase has WAL with synchronous=NORMAL; the peers promise an fsync before each answer, so it has to as well.
// All its writes go through one connection (nonconcurrentDB), which the cron keeps from idling away.
onBootstrap((e) => {
  e.next()
  $app.nonconcurrentDB().newQuery("PRAGMA synchronous = FULL").execute()
})

cronAdd("synchronous", "* * * * *", () => {
  $app.nonconcurrentDB().newQuery("PRAGMA synchronous = FULL").execute()
})

// The driver asks before and after the load whether that still holds.
routerAdd("GET", "/bench/durability", (e) => {
  const mode = new DynamicModel({ journal_mode: "" })
  const sync = new DynamicModel({ synchronous: 0 })
  $app.nonconcurrentDB().newQuery("PRAGMA journal_mode").one(mode)
  $app.nonconcurrentDB().newQuery("PRAGMA synchronous").one(sync)
  return e.json(200, { journal_mode: mode.journal_mode, synchronous: sync.synchronous })
})
