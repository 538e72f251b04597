// Unix seconds and their text forms.

import CSystem
import Glibc

/// Seconds since the epoch, now.
public func unixNow() -> Int64 { Int64(Glibc.time(nil)) }

/// `format` as of strftime, in the local time zone of the process.
public func localTime(_ seconds: Int64, _ format: String) -> String {
    var time = time_t(seconds)
    var parts = tm()
    localtime_r(&time, &parts)
    return text(&parts, format)
}

/// `format` as of strftime, in UTC.
public func utcTime(_ seconds: Int64, _ format: String) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    return text(&parts, format)
}

private func text(_ parts: inout tm, _ format: String) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
        let count = strftime(buffer.baseAddress!, 128, format, &parts)
        return String(decoding: UnsafeRawBufferPointer(start: buffer.baseAddress, count: count), as: UTF8.self)
    }
}

/// `2026-11-21 03:38:03+00`, with minutes in the offset only where there are some.
public func localTimeWithZone(_ seconds: Int64) -> String {
    let zone = localTime(seconds, "%z")
    return localTime(seconds, "%Y-%m-%d %H:%M:%S")
        + (zone.hasSuffix("00") ? String(zone.dropLast(2)) : zone.prefix(3) + ":" + zone.suffix(2))
}

/// `2026-11-21 03:20:43.123`.
func timestampNow() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let milliseconds = String(now.tv_nsec / 1_000_000)
    return localTime(Int64(now.tv_sec), "%Y-%m-%d %H:%M:%S.") + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
}

/// Reads a text by a `format` as of strptime, as a time of UTC: Unix seconds, and what follows. nil when it does not fit.
public func secondsAndRest(_ text: String, _ format: String) -> (seconds: Int64, rest: String)? {
    var parts = tm()
    // What strptime returns points into the text, so it is looked at while that is in place.
    let rest = text.withCString { start in backstop_parse_time(start, format, &parts).map { String(cString: $0) } }
    return rest.map { (Int64(timegm(&parts)), $0) }
}

/// `2026-11-21T09:00:00.000Z` or with an offset, as stores and services write times. Unix seconds; nil when it is no such text.
public func seconds(iso8601 text: String) -> Int64? {
    guard var (seconds, zone) = secondsAndRest(text, "%Y-%m-%dT%H:%M:%S") else { return nil }
    if zone.first == "." { zone = String(zone.dropFirst().drop { $0.isNumber }) }
    if zone.isEmpty || zone == "Z" { return seconds }
    guard let sign = zone.first, sign == "+" || sign == "-" else { return nil }
    let digits = zone.dropFirst().filter { $0 != ":" }
    guard digits.count == 4, let hours = Int64(digits.prefix(2)), let minutes = Int64(digits.suffix(2)) else { return nil }
    seconds -= (sign == "+" ? 1 : -1) * (hours * 3600 + minutes * 60)
    return seconds
}

/// `Fri, 24 May 2013 00:00:00 GMT`, the time of an HTTP header.
public func seconds(httpDate text: String) -> Int64? { secondsAndRest(text, "%a, %d %b %Y %H:%M:%S")?.seconds }
