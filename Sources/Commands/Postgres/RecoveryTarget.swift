// The point to which a cluster shall be recovered: what the user wrote, as what it means.

import BackstopCore

enum RecoveryTarget {
    /// Unix seconds of a text as `seconds(recoveryTime:)` reads it.
    /// PostgreSQL understands more formats, but a backup set can be chosen by this one only.
    static func unixSeconds(_ text: String) throws(BackupError) -> Int64 {
        guard let seconds = seconds(recoveryTime: text) else {
            throw BackupError(
                .format, "'\(text)' is not a time that a backup set can be chosen by",
                hint: "expected YYYY-MM-DD HH:MM:SS with a time zone such as +02 after it if it is not the local one.\n"
                    + "with another format of PostgreSQL choose the backup with --set.")
        }
        return seconds
    }

    /// The same moment for a server in whatever time zone: always with its offset, and with the fraction that was given. nil when the text
    /// is none that `seconds(recoveryTime:)` reads.
    static func timeWithOffset(_ text: String) -> String? {
        guard let seconds = seconds(recoveryTime: text) else { return nil }
        let fraction = text.firstIndex { $0 == "." || $0 == "," }.map { text[text.index(after: $0)...].prefix { "0"..."9" ~= $0 } }
        let shown = localTimeWithZone(seconds)
        return shown.prefix(19) + (fraction.map { ".\($0)" } ?? "") + shown.dropFirst(19)
    }

    /// A transaction, as a plain decimal number. Throws `.optionInvalidValue`.
    static func xid(_ text: String) throws(BackupError) -> String {
        guard !text.isEmpty, text.utf8.allSatisfy({ 48...57 ~= $0 }), let number = UInt64(text), number > 0 else {
            throw BackupError(
                .optionInvalidValue, "recovery target xid '\(text)' is not valid", hint: "a transaction id is a number above 0, as in 1234."
            )
        }
        return "\(number)"
    }

    /// The name of a restore point. Throws `.optionInvalidValue` for one that no server can have.
    static func name(_ text: String) throws(BackupError) -> String {
        guard (1...63).contains(text.utf8.count) else {
            throw BackupError(
                .optionInvalidValue, "recovery target name '\(text)' is not valid",
                hint: "the name of a restore point has 1 to 63 bytes.")
        }
        return text
    }
}

/// The timeline to follow.
enum TargetTimeline: Sendable, Equatable {
    case current, latest
    case number(UInt32)

    /// `current`, `latest`, a decimal number (also with zeros in front, which PostgreSQL would take for octal), or 0x and hexadecimal digits.
    init(_ text: String) throws(BackupError) {
        if text == "current" { self = .current; return }
        if text == "latest" { self = .latest; return }
        let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
        let digits = isHexadecimal ? text.dropFirst(2) : text[...]
        guard digits.first != "+", digits.first != "-", let number = UInt32(digits, radix: isHexadecimal ? 16 : 10), number > 0 else {
            throw BackupError(
                .optionInvalidValue, "target timeline '\(text)' is not valid",
                hint: "use current, latest, a number, or 0x and hexadecimal digits.")
        }
        self = .number(number)
    }

    /// What is followed when nobody says: what a server of that version follows by itself.
    static func usual(_ version: PostgresVersion) -> TargetTimeline { version >= .v12 ? .latest : .current }

    /// As a server reads it.
    var text: String {
        switch self {
        case .current: "current"
        case .latest: "latest"
        case .number(let number): "\(number)"
        }
    }
}
