// Names of backups (repository-format.md section 3.1).

import BackstopCore

enum BackupType: String, Sendable {
    case full, diff, incr

    var letter: String {
        switch self {
        case .full: "F"
        case .diff: "D"
        case .incr: "I"
        }
    }
}

/// `YYYYMMDD-HHMMSSF`, or that of the full backup with `_YYYYMMDD-HHMMSSD` or `…I`.
enum BackupLabel {
    static func isValid(_ label: some StringProtocol) -> Bool {
        let bytes = Array(label.utf8)
        func isTime(_ from: Int) -> Bool {
            (0..<15).allSatisfy { $0 == 8 ? bytes[from + $0] == UInt8(ascii: "-") : (48...57).contains(bytes[from + $0]) }
        }
        guard bytes.count == 16 || bytes.count == 33, isTime(0), bytes[15] == UInt8(ascii: "F") else { return false }
        if bytes.count == 16 { return true }
        return bytes[16] == UInt8(ascii: "_") && isTime(17) && (bytes[32] == UInt8(ascii: "D") || bytes[32] == UInt8(ascii: "I"))
    }

    static func type(of label: String) -> BackupType {
        label.hasSuffix("D") ? .diff : label.hasSuffix("I") ? .incr : .full
    }

    /// The label of the full backup of the set.
    static func full(of label: String) -> String { String(label.prefix(16)) }

    /// For a backup that started at `start` (Unix seconds; the label shows local time). It must be greater than every label in `others`,
    /// so that labels stay in the order of time: at most one second is waited for.
    static func make(_ type: BackupType, prior: String?, start: Int64, others: [String]) async throws(BackupError) -> String {
        let choice = try choose(type, prior: prior, now: localStamp(start), next: localStamp(start + 1), others: others)
        if choice.isNext {
            while unixNow() <= start { try await pause(.milliseconds(50)) }
        }
        return choice.label
    }

    /// Seconds that a clock on the wall has counted when it shows the stamp; to be compared with others like it only.
    private static func wallClock(_ stamp: some StringProtocol) -> Int64? {
        let digits = Array(stamp)
        guard digits.count == 15 else { return nil }
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return seconds(iso8601: "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
    }

    private static func localStamp(_ time: Int64) -> String { localTime(time, "%Y%m%d-%H%M%S") }

    /// By how much clocks go back once a year, and a little for the clock of another host.
    static let hourThatComesTwice: Int64 = 3660

    /// `now`, `next`: the local time of the start and of the second after it, as labels show it. `isNext`: the label is that of the second.
    /// In the hour that comes twice when summer ends the labels of the first time are in the way; the next free one after them is taken,
    /// which keeps the order and is at most an hour off. Throws `.clock` when a label lies farther ahead.
    static func choose(
        _ type: BackupType, prior: String?, now: String, next: String, others: [String]
    ) throws(BackupError) -> (label: String, isNext: Bool) {
        func label(_ stamp: String) -> String { (prior.map { full(of: $0) + "_" } ?? "") + stamp + type.letter }
        let rivals = prior.map { prior in others.filter { $0.hasPrefix(full(of: prior)) } } ?? others
        guard let latest = rivals.max(by: bytewiseLess) else { return (label(now), false) }
        if bytewiseLess(latest, label(now)) { return (label(now), false) }
        if bytewiseLess(latest, label(next)) { return (label(next), true) }
        let ahead = latest.dropLast().suffix(15)
        if let wanted = wallClock(now), let taken = wallClock(ahead), taken - wanted <= hourThatComesTwice {
            return (label(utcTime(taken + 1, "%Y%m%d-%H%M%S")), false)
        }
        throw BackupError(
            .clock, "new backup label '\(label(next))' is not later than latest backup label '\(latest)'",
            hint: "has the timezone changed?\nis there clock skew?")
    }
}
