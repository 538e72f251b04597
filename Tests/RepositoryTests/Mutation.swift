// Damage: bytes and texts changed at random places, the numbers of a text also to those where arithmetic ends.

import EndToEndSupport

enum Mutation {
    /// One to four changes.
    static func bytes(_ original: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0...5, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 2: bytes.remove(at: at)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
            case 4: bytes.replaceSubrange(at..<min(at + 4, bytes.count), with: [255, 255, 255, 255, 255, 255, 255, 127])
            default: bytes.removeSubrange(at..<min(at + Int.random(in: 1...20, using: &random), bytes.count))
            }
        }
        return bytes
    }

    private static let numbers = [
        "0", "-1", "1", "16", "99", "4294967295", "4294967296", "1152921504606846975", "1152921504606846977", "9223372036854775807",
        "-9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1.5",
        "1e99",
    ]
    private static let texts = [
        "null", "true", "\"\"", "[]", "{}", "[0,18446744073709551615]", "\"..\"", "\"/\"", "\"9999999999\"", "\"pg_data/../x\"",
        "\"\u{301}\"", "\"a,b\"", "\"link\"", "\"path\"",
    ]

    /// One to three lines changed, doubled, dropped or exchanged, and sometimes bytes as well.
    static func text(_ original: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var lines = original.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
        for _ in 0..<Int.random(in: 1...3, using: &random) where !lines.isEmpty {
            let at = Int.random(in: 0..<lines.count, using: &random)
            switch Int.random(in: 0...9, using: &random) {
            case 0: lines.remove(at: at)
            case 1: lines.insert(lines[at], at: Int.random(in: 0...lines.count, using: &random))
            case 2: lines.swapAt(at, Int.random(in: 0..<lines.count, using: &random))
            case 3: lines[at] = bytes(lines[at], &random)
            case 4, 5: replaceValue(in: &lines[at], texts.randomElement(using: &random)!, &random)
            default: replaceNumber(in: &lines[at], numbers.randomElement(using: &random)!, &random)
            }
        }
        let text = Array(lines.joined(separator: [10]))
        return Int.random(in: 0...9, using: &random) == 0 ? bytes(text, &random) : text
    }

    private static func replaceNumber(in line: inout [UInt8], _ number: String, _ random: inout Seeded) {
        // Numbers begin behind a ':' or the '=' of the key.
        let starts = line.indices.dropFirst().filter {
            48...57 ~= line[$0] && (line[$0 - 1] == UInt8(ascii: ":") || line[$0 - 1] == UInt8(ascii: "="))
        }
        guard let start = starts.randomElement(using: &random) else { return }
        let end = line[start...].firstIndex { !(48...57 ~= $0) } ?? line.endIndex
        line.replaceSubrange(start..<end, with: number.utf8)
    }

    private static func replaceValue(in line: inout [UInt8], _ text: String, _ random: inout Seeded) {
        let starts = line.indices.dropFirst().filter { line[$0 - 1] == UInt8(ascii: ":") || line[$0 - 1] == UInt8(ascii: "=") }
        guard let start = starts.randomElement(using: &random) else { return }
        let end = line[start...].firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "}") } ?? line.endIndex
        line.replaceSubrange(start..<end, with: text.utf8)
    }
}
