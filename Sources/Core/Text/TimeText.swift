// Texts of times that people, stores and services write, read as Unix seconds.

import Glibc

/// `YYYY-MM-DD HH:MM:SS[.frac or ,frac][Z or ±HH[MM or :MM]]`, also with `T` between, or a date alone, which is its begin. The fraction is
/// cut off; without a zone it is the local one. nil when it is no such text: PostgreSQL understands more formats.
public func seconds(recoveryTime text: String) -> Int64? {
    var scanner = TimeScanner(text)
    guard let day = scanner.day() else { return nil }
    var second: Int64 = 0
    if !scanner.rest.isEmpty {
        guard scanner.take(" ") || scanner.take("T"), let given = scanner.secondOfDay() else { return nil }
        second = given
    }
    if scanner.take("Z") { return scanner.rest.isEmpty ? day.utc + second : nil }
    if !scanner.rest.isEmpty {
        guard let offset = scanner.offset(), scanner.rest.isEmpty else { return nil }
        return day.utc + second - offset
    }
    var parts = tm()
    parts.tm_year = Int32(day.year - 1900)
    parts.tm_mon = Int32(day.month - 1)
    parts.tm_mday = Int32(day.day)
    // As a wall clock shows it: a day may have 23 or 25 hours.
    parts.tm_hour = Int32(second / 3600)
    parts.tm_min = Int32(second / 60 % 60)
    parts.tm_sec = Int32(second % 60)
    parts.tm_isdst = -1
    return Int64(mktime(&parts))
}

/// `2026-11-21T09:00:00.000Z` or with an offset; without either it is UTC. nil when it is no such text.
public func seconds(iso8601 text: String) -> Int64? {
    var scanner = TimeScanner(text)
    guard let day = scanner.day(), scanner.take("T"), let second = scanner.secondOfDay() else { return nil }
    let offset = scanner.rest.isEmpty || scanner.take("Z") ? 0 : scanner.offset()
    guard let offset, scanner.rest.isEmpty else { return nil }
    return day.utc + second - offset
}

/// `Fri, 24 May 2013 00:00:00 GMT`, the time of an HTTP header. nil when it is no such text.
public func seconds(httpDate text: String) -> Int64? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", let month = TimeScanner.months.firstIndex(of: words[2]) else { return nil }
    let digits = month < 9 ? "0\(month + 1)" : "\(month + 1)"
    return seconds(iso8601: "\(words[3])-\(digits)-\(words[1])T\(words[4])Z")
}

private struct TimeScanner {
    var rest: ArraySlice<UInt8>

    static let months: [Substring] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    init(_ text: String) { rest = Array(text.utf8)[...] }

    /// `utc`: the seconds at which it begins there.
    mutating func day() -> (year: Int, month: Int, day: Int, utc: Int64)? {
        guard let year = digits(4), take("-"), let month = digits(2, in: 1...12), take("-"),
            let day = digits(2, in: 1...daysOf(month, year))
        else { return nil }
        return (year, month, day, Int64(days(year, month, day)) * 86_400)
    }

    /// A fraction is passed over.
    mutating func secondOfDay() -> Int64? {
        guard let hour = digits(2, in: 0...23), take(":"), let minute = digits(2, in: 0...59), take(":"), let second = digits(2, in: 0...59)
        else { return nil }
        if take(".") || take(",") {
            guard digits(1) != nil else { return nil }
            while digits(1) != nil {}
        }
        return Int64((hour * 60 + minute) * 60 + second)
    }

    /// Seconds east of Greenwich.
    mutating func offset() -> Int64? {
        let west = take("-")
        guard west || take("+"), let hours = digits(2, in: 0...15) else { return nil }
        var minutes = 0
        if !rest.isEmpty {
            _ = take(":")
            guard let given = digits(2, in: 0...59) else { return nil }
            minutes = given
        }
        return Int64((hours * 60 + minutes) * (west ? -60 : 60))
    }

    mutating func take(_ character: Character) -> Bool {
        guard rest.first == character.asciiValue else { return false }
        rest.removeFirst()
        return true
    }

    /// The number that exactly `count` digits make.
    private mutating func digits(_ count: Int, in range: ClosedRange<Int> = 0...9999) -> Int? {
        guard rest.count >= count, rest.prefix(count).allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        let number = rest.prefix(count).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        rest = rest.dropFirst(count)
        return range.contains(number) ? number : nil
    }

    private func isLeap(_ year: Int) -> Bool { year % 4 == 0 && year % 100 != 0 || year % 400 == 0 }

    private func daysOf(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01.
    private func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let before = year - 1
        let toYear = before * 365 + before / 4 - before / 100 + before / 400 - 719_162
        return (1..<month).reduce(toYear + day - 1) { $0 + daysOf($1, year) }
    }
}
