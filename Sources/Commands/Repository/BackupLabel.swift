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
        func label(_ time: Int64) -> String {
            let text = localTime(time, "%Y%m%d-%H%M%S") + type.letter
            return prior.map { "\(full(of: $0))_\(text)" } ?? text
        }
        let rivals = prior.map { prior in others.filter { $0.hasPrefix(full(of: prior)) } } ?? others
        func isFree(_ label: String) -> Bool { rivals.allSatisfy { bytewiseLess($0, label) } }
        if isFree(label(start)) { return label(start) }
        let next = label(start + 1)
        guard isFree(next) else {
            throw BackupError(
                .clock, "new backup label '\(next)' is not later than latest backup label '\(rivals.max(by: bytewiseLess) ?? "")'",
                hint: "has the timezone changed?\nis there clock skew?")
        }
        while unixNow() <= start { try await pause(.milliseconds(50)) }
        return next
    }
}
