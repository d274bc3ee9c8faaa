-- wrk's side of a scenario. Arguments: METHOD PATH RUN HEADER…, a header as "Name: value". With a RUN other than "-"
-- every request makes a new role: a name and an Idempotency-Key of its own, and the fields in BENCH_FIELDS.
local method, path, run
local headers = { ["Content-Type"] = "application/json" }
local fields = os.getenv("BENCH_FIELDS")
local count = 0

function init(args)
  method, path, run = args[1], args[2], args[3]
  for i = 4, #args do
    local name, value = args[i]:match("^(.-): (.*)$")
    headers[name] = value
  end
end

function request()
  if run == "-" then return wrk.format(method, path, headers) end
  count = count + 1
  local name = run .. "-" .. count
  headers["Idempotency-Key"] = name
  local body = '{"name":"' .. name .. '","description":"A role of the benchmark, about as long as a sentence is.",' .. fields .. '}'
  return wrk.format(method, path, headers, body)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"errors":%d,"p50_ms":%.4f,"p90_ms":%.4f,"p99_ms":%.4f,"max_ms":%.4f}\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
