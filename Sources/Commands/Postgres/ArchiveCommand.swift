// archive_command, as far as it can be understood without running it.

/// Reads the part of it that runs this program or the peer. What a script or a shell inside of quotes does is not known, and nothing is
/// said against it.
struct ArchiveCommand {
    private struct Word {
        var text: String
        /// The shell puts something else in.
        var isExpanded = false
    }

    private static let programs: Set = ["pgbackstop", "pgbackrest"]
    /// Begins with the program; empty when it is not found.
    private let words: [Word]
    /// Assigned before the program.
    private let variables: [String]

    init(_ text: String) {
        for part in Self.parts(text) {
            guard let program = part.firstIndex(where: { Self.programs.contains(Self.name($0.text)) }) else { continue }
            words = Array(part[program...])
            variables = part[..<program].map(\.text).filter { $0.contains("=") }
            return
        }
        (words, variables) = ([], [])
    }

    /// An absolute path of the program; nil when it is looked for, or not known.
    var program: String? {
        guard let word = words.first, !word.isExpanded, word.text.hasPrefix("/") else { return nil }
        return word.text
    }

    /// The configuration file that it names, when that is an absolute path.
    var configuration: String? { value(of: "config").flatMap { $0.hasPrefix("/") ? $0 : nil } }

    /// Whether it leaves to chance which configuration is read.
    var takesUsualConfiguration: Bool {
        !words.isEmpty && !words.contains { $0.text.hasPrefix("--config") || $0.text == "--no-config" }
            && !variables.contains { $0.contains("_CONFIG") }
    }

    /// Why it cannot archive into `stanza`, as the end of a sentence; nil when nothing speaks against it.
    func fault(stanza: String) -> (reason: String, hint: String?)? {
        if words.isEmpty { return nil }
        if !words.contains(where: { $0.text == "archive-push" || $0.isExpanded }) {
            let near = words.dropFirst().first { $0.text.hasPrefix("archive") }?.text
            return ("does not run archive-push" + (near.map { ", but '\($0)'" } ?? ""), nil)
        }
        if !words.contains(where: { $0.text.contains("%p") || $0.isExpanded }) {
            return words.contains { $0.text.contains("%f") }
                ? ("passes %f, the name of the file, and archive-push needs its path", "write %p in place of %f.")
                : ("does not tell archive-push which file to archive", "add %p to its end.")
        }
        if let other = value(of: "stanza"), other != stanza {
            return ("archives into stanza '\(other)', and this is stanza '\(stanza)'", nil)
        }
        return nil
    }

    /// Of an option of the program, the last one counts.
    private func value(of option: String) -> String? {
        for (index, word) in words.enumerated().reversed() {
            if word.text == "--\(option)", index + 1 < words.count { return words[index + 1].isExpanded ? nil : words[index + 1].text }
            if word.text.hasPrefix("--\(option)=") { return word.isExpanded ? nil : String(word.text.dropFirst(option.count + 3)) }
        }
        return nil
    }

    private static func name(_ path: String) -> String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }

    /// The words of each simple command, without their quotes.
    private static func parts(_ text: String) -> [[Word]] {
        var parts: [[Word]] = [[]]
        var word: Word?
        var quote: Character?
        var characters = text[...]
        func end() {
            if let ended = word { parts[parts.count - 1].append(ended) }
            word = nil
        }
        while let character = characters.popFirst() {
            switch (quote, character) {
            case (let open?, _) where open == character: quote = nil
            case ("'", _): word!.text.append(character)
            case (_, "\\"):
                word = word ?? Word(text: "")
                if let next = characters.popFirst() { word!.text.append(next) }
            case (_, "$"), (_, "`"):
                word = word ?? Word(text: "")
                word!.isExpanded = true
            case ("\"", _): word!.text.append(character)
            case (_, "'"), (_, "\""):
                word = word ?? Word(text: "")
                quote = character
            case (_, ";"), (_, "&"), (_, "|"), (_, "("), (_, ")"), (_, "\n"):
                end()
                parts.append([])
            case (_, " "), (_, "\t"): end()
            default:
                word = word ?? Word(text: "")
                word!.text.append(character)
            }
        }
        end()
        return parts
    }
}
