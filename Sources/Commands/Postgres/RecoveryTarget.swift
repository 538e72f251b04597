// The time to which a cluster shall be recovered, as a number that backups can be compared with.

import BackstopCore
import Glibc

enum RecoveryTarget {
    /// Unix seconds of `YYYY-MM-DD HH:MM:SS[.frac or ,frac][±HH[MM or :MM]]`, the fraction cut off; without a zone it is the local one.
    /// PostgreSQL understands more formats, but a backup set can be chosen by this one only.
    static func unixSeconds(_ text: String) throws(BackupError) -> Int64 {
        var scanner = Scanner(rest: Array(text.utf8)[...])
        guard let seconds = scanner.time() else {
            throw BackupError(
                .format, "'\(text)' is not a time that a backup set can be chosen by",
                hint: "expected YYYY-MM-DD HH:MM:SS with a time zone such as +02 after it if it is not the local one.\n"
                    + "with another format of PostgreSQL choose the backup with --set.")
        }
        return seconds
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func time() -> Int64? {
            guard let year = digits(4), take("-"), let month = digits(2, in: 1...12), take("-"),
                let day = digits(2, in: 1...daysOf(month, year)), take(" "), let hour = digits(2, in: 0...23), take(":"),
                let minute = digits(2, in: 0...59), take(":"), let second = digits(2, in: 0...59)
            else { return nil }
            if take(".") || take(",") {
                guard digits(1) != nil else { return nil }
                while digits(1) != nil {}
            }
            if rest.isEmpty {
                var parts = tm()
                parts.tm_year = Int32(year - 1900)
                parts.tm_mon = Int32(month - 1)
                parts.tm_mday = Int32(day)
                parts.tm_hour = Int32(hour)
                parts.tm_min = Int32(minute)
                parts.tm_sec = Int32(second)
                parts.tm_isdst = -1
                return Int64(mktime(&parts))
            }
            guard let offset = zone(), rest.isEmpty else { return nil }
            return Int64(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset)
        }

        /// Seconds east of Greenwich.
        private mutating func zone() -> Int? {
            let west = take("-")
            guard west || take("+"), let hours = digits(2, in: 0...15) else { return nil }
            var minutes = 0
            if !rest.isEmpty {
                _ = take(":")
                guard let given = digits(2, in: 0...59) else { return nil }
                minutes = given
            }
            return (hours * 60 + minutes) * (west ? -60 : 60)
        }

        private mutating func take(_ character: Character) -> Bool {
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
}
