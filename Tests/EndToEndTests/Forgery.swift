// Changes a manifest and signs it anew, as anybody can who can write to an open repository.

import EndToEndSupport
import Foundation

enum Forgery {
    /// Adds an empty file.
    static func manifest(_ text: String, adding name: String) throws -> String {
        try sign(
            add(
                "\(name)={\"checksum\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\",\"size\":0,\"timestamp\":1700000000}",
                to: "target:file", text))
    }

    /// Adds a line to a section.
    static func add(_ line: String, to section: String, _ text: String) throws -> String {
        try replace("[\(section)]\n", with: "[\(section)]\n\(line)\n", text)
    }

    /// Replaces what must be there.
    static func replace(_ old: String, with new: String, _ text: String) throws -> String {
        guard let range = text.range(of: old, options: .literal) else { throw Failure("there is no '\(old)' to replace") }
        return text.replacingCharacters(in: range, with: new)
    }

    /// The checksum of the file is that of its content written as JSON.
    static func sign(_ text: String) throws -> String {
        let lines = text.components(separatedBy: "\n")
        var stream = "{"
        var section = ""
        var current = ""
        for line in lines where !line.isEmpty {
            if line.hasPrefix("[") && line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
            } else if !line.hasPrefix("backrest-checksum=") {
                // Names with '=' do not occur in these clusters.
                let parts = line.components(separatedBy: "=")
                if section != current {
                    stream += (current.isEmpty ? "" : "},") + "\"\(section)\":{"
                    current = section
                } else {
                    stream += ","
                }
                stream += "\"\(parts[0])\":\(parts.dropFirst().joined(separator: "="))"
            }
        }
        stream += "}}"
        let folder = try TemporaryFolder()
        let sum = try run(["sha1sum", try folder.write("stream", stream)]).output.prefix(40)
        return lines.map { $0.hasPrefix("backrest-checksum=") ? "backrest-checksum=\"\(sum)\"" : $0 }.joined(separator: "\n")
    }

    /// Forges both manifests of a backup.
    static func manifests(of label: String, in bench: Workbench, _ change: (String) throws -> String) throws {
        for suffix in ["", ".copy"] {
            let file = "backup/demo/\(label)/backup.manifest\(suffix)"
            try bench.files.write(file, Data(try sign(try change(try bench.files.text(file))).utf8))
        }
    }
}
