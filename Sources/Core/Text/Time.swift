// Unix seconds and their text forms.

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

/// `0.1 s`, for people.
public func secondsText(_ duration: Duration) -> String {
    let tenths = Int64((duration / .milliseconds(100)).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
}

/// `2026-11-21 03:20:43.123`.
func timestampNow() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let milliseconds = String(now.tv_nsec / 1_000_000)
    return localTime(Int64(now.tv_sec), "%Y-%m-%d %H:%M:%S.") + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
}
