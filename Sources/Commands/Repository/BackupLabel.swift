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

/// `YYYYMMDD-HHMMSSF`, or that of the full backup with `_YYYYMMDD-HHMMSSD` or `…I`. Labels are in the order of time.
struct BackupLabel: Hashable, Comparable, Sendable, CustomStringConvertible {
    let text: String

    /// nil when `text` is no label.
    init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        func isTime(_ from: Int) -> Bool {
            (0..<15).allSatisfy { $0 == 8 ? bytes[from + $0] == UInt8(ascii: "-") : (48...57).contains(bytes[from + $0]) }
        }
        guard bytes.count == 16 || bytes.count == 33, isTime(0), bytes[15] == UInt8(ascii: "F") else { return nil }
        if bytes.count == 33 {
            guard bytes[16] == UInt8(ascii: "_"), isTime(17), bytes[32] == UInt8(ascii: "D") || bytes[32] == UInt8(ascii: "I") else {
                return nil
            }
        }
        self.text = String(text)
    }

    private init(_ type: BackupType, stamp: some StringProtocol, prior: BackupLabel?) {
        text = (prior.map { $0.full.text + "_" } ?? "") + stamp + type.letter
    }

    var type: BackupType {
        switch text.utf8.last {
        case UInt8(ascii: "D"): .diff
        case UInt8(ascii: "I"): .incr
        default: .full
        }
    }

    /// The label of the full backup of the set.
    var full: BackupLabel { text.utf8.count == 16 ? self : BackupLabel(text.prefix(16)) ?? self }

    /// Of the full backup, as folders of the history are called.
    var year: Substring { text.prefix(4) }

    /// When the backup began, by the clock on the wall: `YYYYMMDD-HHMMSS`.
    private var stamp: Substring { text.dropLast().suffix(15) }

    var description: String { text }

    static func < (a: BackupLabel, b: BackupLabel) -> Bool { bytewiseLess(a.text, b.text) }

    /// For a backup that started at `start` (Unix seconds; the label shows local time). It must be greater than every label in `others`,
    /// so that labels stay in the order of time: at most one second is waited for.
    static func make(_ type: BackupType, prior: BackupLabel?, start: Int64, others: [BackupLabel]) async throws(BackupError) -> BackupLabel
    {
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
        _ type: BackupType, prior: BackupLabel?, now: String, next: String, others: [BackupLabel]
    ) throws(BackupError) -> (label: BackupLabel, isNext: Bool) {
        func label(_ stamp: String) -> BackupLabel { BackupLabel(type, stamp: stamp, prior: prior) }
        let rivals = prior.map { prior in others.filter { $0.full == prior.full } } ?? others
        guard let latest = rivals.max() else { return (label(now), false) }
        if latest < label(now) { return (label(now), false) }
        if latest < label(next) { return (label(next), true) }
        if let wanted = wallClock(now), let taken = wallClock(latest.stamp), taken - wanted <= hourThatComesTwice {
            return (label(utcTime(taken + 1, "%Y%m%d-%H%M%S")), false)
        }
        throw BackupError(
            .clock, "new backup label '\(label(next))' is not later than latest backup label '\(latest)'",
            hint: "has the timezone changed?\nis there clock skew?")
    }
}
