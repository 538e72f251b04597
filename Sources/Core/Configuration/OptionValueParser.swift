// From the text of an option to its value: the types of cli.md section 1.4.

/// Reads the text forms of one option for one command.
struct OptionValueParser {
    var option: OptionSpec
    var command: String
    /// As the user knows it, with its index.
    var shown: String
    /// Replaces the range of the option where that depends on another option.
    var range: ClosedRange<Int64>?

    /// `texts` has one element unless the option is repeatable.
    func parse(_ texts: [String]) throws(BackupError) -> OptionValue {
        if !option.holdsFileNames, texts.contains(where: FileName.isMapped) {
            throw BackupError(.optionInvalidValue, "the value of option '\(shown)' is not UTF-8 text")
        }
        switch option.kind {
        case .list:
            for text in texts { try refuseEmpty(text) }
            return .list(texts)
        case .map:
            var map: [String: String] = [:]
            for text in texts {
                guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                    throw BackupError(
                        .optionInvalid, "'\(text)' is not KEY=VALUE, which option '\(shown)' needs",
                        hint: "repeat the option for further entries.")
                }
                map[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            return .map(map)
        default:
            return try parse(texts.last ?? "")
        }
    }

    private func parse(_ text: String) throws(BackupError) -> OptionValue {
        try refuseEmpty(text)
        switch option.kind {
        case .string, .list, .map: return .text(text)
        case .path: return .text(try path(text))
        case .boolean:
            guard text == "y" || text == "n" else { throw invalid(text, "a boolean is exactly y or n.") }
            return .flag(text == "y")
        case .choice:
            let words = option.choices(for: command)
            guard words.contains(text) else {
                if let plugins = option.allowList, nearestName(to: text, in: words) == nil {
                    throw BackupError.missingDriver(text, shown, plugins)
                }
                throw invalid(text, "allowed are \(words.joined(separator: ", ")).", nearestName(to: text, in: words))
            }
            return .text(text)
        case .integer(let range):
            guard let number = Int64(text), !text.hasPrefix("+") else { throw invalid(text, "write a whole number.") }
            return .number(try within(number, self.range ?? range, text) { "\($0)" })
        case .size(let range, let allowed):
            guard let bytes = parseSize(text) else {
                throw invalid(text, "write a whole number with an optional unit: B, KiB, MiB, GiB, TiB, PiB.")
            }
            guard allowed.isEmpty || allowed.contains(bytes) else {
                throw invalid(text, "allowed are \(allowed.map(exactSize).joined(separator: ", ")).")
            }
            return .number(try within(bytes, self.range ?? range, text, exactSize))
        case .time(let range):
            guard let milliseconds = parseTime(text) else {
                throw invalid(text, "write a whole number with an optional unit: ms, s, m, h, d, w.")
            }
            return .number(try within(milliseconds, self.range ?? range, text, timeText))
        }
    }

    private func refuseEmpty(_ text: String) throws(BackupError) {
        if text.isEmpty { throw BackupError(.optionInvalidValue, "option '\(shown)' has an empty value") }
    }

    private func path(_ text: String) throws(BackupError) -> String {
        guard text.hasPrefix("/") else { throw invalid(text, "a path begins with /.") }
        guard !text.contains("//") else { throw invalid(text, "a path has no // in it.") }
        return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private func within(
        _ number: Int64, _ range: ClosedRange<Int64>, _ text: String, _ show: (Int64) -> String
    ) throws(BackupError) -> Int64 {
        guard range.contains(number) else {
            throw invalid(text, "allowed is \(show(range.lowerBound)) to \(show(range.upperBound)).")
        }
        return number
    }

    private func invalid(_ text: String, _ hint: String, _ nearest: String? = nil) -> BackupError {
        // A secret never reaches the log, not even one that is wrong.
        let value = option.isSecret ? "the value" : "'\(text)'"
        return BackupError(
            .optionInvalidValue, "\(value) is not allowed for option '\(shown)'",
            hint: nearest.map { "did you mean '\($0)'?\n\(hint)" } ?? hint)
    }
}

extension OptionSpec {
    /// The value of `text`; `shown` names the option in errors.
    public func parse(_ text: String, shown: String) throws(BackupError) -> OptionValue {
        try OptionValueParser(option: self, command: "", shown: shown).parse([text])
    }
}

/// Bytes; nil when `text` is not an integer with an optional unit. `1m`, `1MB` and `1mib` are the same.
public func parseSize(_ text: String) -> Int64? {
    let (digits, unit) = splitUnit(text)
    guard let number = Int64(digits) else { return nil }
    let powers = ["": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5]
    var letter = unit.lowercased()
    if letter.count > 1 {
        let end = letter.count == 2 ? "b" : "ib"
        guard letter.hasSuffix(end), letter != "bb" else { return nil }
        letter.removeLast(end.count)
        if letter == "b" || letter.isEmpty { return nil }
    }
    guard let power = powers[letter] else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (10 * Int64(power)))
    return overflow ? nil : bytes
}

/// Milliseconds; nil when `text` is not an integer with an optional unit. A bare number is seconds.
func parseTime(_ text: String) -> Int64? {
    let (digits, unit) = splitUnit(text)
    let factors: [String: Int64] = [
        "": 1000, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
    ]
    guard let number = Int64(digits), let factor = factors[unit] else { return nil }
    let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : milliseconds
}

private func splitUnit(_ text: String) -> (digits: String, unit: String) {
    let end = text.utf8.firstIndex { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? text.endIndex
    return (String(text[..<end]), String(text[end...]))
}

/// `16KiB`: the largest unit without a remainder.
public func exactSize(_ bytes: Int64) -> String {
    var number = bytes
    var unit = 0
    while number != 0, number % 1024 == 0, unit < 5 {
        number /= 1024
        unit += 1
    }
    return "\(number)\(["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit])"
}

/// `30m`: the largest unit without a remainder.
public func timeText(_ milliseconds: Int64) -> String {
    for (factor, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] as [(Int64, String)]
    where milliseconds != 0 && milliseconds % factor == 0 {
        return "\(milliseconds / factor)\(unit)"
    }
    return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
}

/// The same of a time that has milliseconds at most.
public func timeText(_ time: Duration) -> String { timeText(time.milliseconds) }
