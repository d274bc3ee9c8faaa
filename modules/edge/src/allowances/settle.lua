-- Settles one replica's accounts by GCRA. Times are microseconds of this server's clock.
--
-- KEYS: the replicas, then a budget for each claim.
-- ARGV: this replica (empty: it only asks) and after how long a silent one is gone; then for each claim the interval of
--       a token, the burst, what was spent and what is wanted.
-- Answers how many replicas there are, then for each claim the tokens granted and the wait for more.
local BELIEVED = 64 -- bursts; a budget that is further from whole is none of ours
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function text(number)
    return string.format('%.0f', number)
end

-- What is no number counts as a whole budget, whatever lies there.
local function whole_at(key, most)
    local value = redis.pcall('GET', key)
    local kept = type(value) == 'string' and string.match(value, '^%d+$') and tonumber(value)
    if not kept or kept > most then
        return now
    end
    return math.max(kept, now)
end

local function keep(key, at)
    if at > now then
        redis.call('SET', key, text(at), 'PX', text(math.ceil((at - now) / 1000)))
    else
        redis.call('DEL', key)
    end
end

local function settle(key, interval, burst, spent, want)
    local before = whole_at(key, now + BELIEVED * interval * burst)
    local charged = math.max(before + interval * spent, now)
    local latest = now + interval * burst
    local tokens = math.max(0, math.min(math.floor((latest - charged) / interval), want))
    local after = charged + interval * tokens
    if after ~= before then
        keep(key, after)
    end
    return tokens, math.max(0, after + interval - latest)
end

local function replicas(key, replica, silence)
    if replica == '' then
        return 1
    end
    if type(redis.pcall('ZADD', key, text(now), replica)) == 'table' then
        redis.call('DEL', key) -- something else lies there
        redis.call('ZADD', key, text(now), replica)
    end
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. text(now - silence))
    redis.call('ZREMRANGEBYSCORE', key, '(' .. text(now), '+inf')
    redis.call('PEXPIRE', key, text(silence / 1000))
    return redis.call('ZCARD', key)
end

local answer = { replicas(KEYS[1], ARGV[1], tonumber(ARGV[2])) }
for at = 2, #KEYS do
    local from = 4 * at - 5
    local tokens, wait = settle(KEYS[at], tonumber(ARGV[from]), tonumber(ARGV[from + 1]), tonumber(ARGV[from + 2]), tonumber(ARGV[from + 3]))
    answer[#answer + 1] = tokens
    answer[#answer + 1] = wait
end
return answer
