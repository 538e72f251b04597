// What a repository holds, read and damaged by a client that is not ours: a test that asks here need not know the repository's kind.

public import Foundation

/// Names are relative to the repository: `archive/demo/archive.info`.
public protocol RepositoryFiles: Sendable {
    /// Every file below that folder, each with a text that differs when its content does.
    func list(_ folder: String) throws -> [String: String]
    /// The names of files below that folder that somebody began to write and has not completed.
    func unfinished(_ folder: String) throws -> [String]
    func read(_ name: String) throws -> Data
    /// Replaces a file, or makes a new one.
    func write(_ name: String, _ content: Data) throws
    func remove(_ name: String) throws
}

extension RepositoryFiles {
    /// The names below that folder that end like this, sorted.
    public func names(_ folder: String, ending: String = "") throws -> [String] {
        try list(folder).keys.filter { $0.hasSuffix(ending) }.sorted()
    }

    public func contains(_ name: String) throws -> Bool {
        try list(String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)])).keys.contains(name)
    }

    public func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    public func change(_ name: String, _ change: (inout Data) throws -> Void) throws {
        var content = try read(name)
        try change(&content)
        try write(name, content)
    }

    /// Replaces a text that must be there.
    public func replace(_ old: String, with new: String, in name: String) throws {
        let text = try text(name)
        guard text.contains(old) else { throw Failure("\(name) does not contain '\(old)'") }
        try write(name, Data(text.replacing(old, with: new).utf8))
    }

    /// Puts other bytes where the file had some.
    public func damage(_ name: String, at offset: Int) throws {
        try change(name) { content in
            guard content.count >= offset + 13 else { throw Failure("\(name) has only \(content.count) bytes") }
            content.replaceSubrange(offset..<offset + 13, with: Data("damage damage".utf8))
        }
    }

    public func copy(_ name: String, to other: String) throws { try write(other, try read(name)) }
}

/// A folder, through the file system as the account of the servers.
struct FolderFiles: RepositoryFiles {
    let path: String
    /// Where a driver lets all files grow; without it they grow beside the complete ones.
    var growing: String?

    func list(_ folder: String) throws -> [String: String] {
        guard FileManager.default.fileExists(atPath: "\(path)/\(folder)") else { return [:] }
        let lines = try run(["find", folder, "-type", "f", "-exec", "sha1sum", "{}", "+"], in: path).output.split(separator: "\n")
        return Dictionary(uniqueKeysWithValues: lines.map { (String($0.dropFirst(42)), String($0.prefix(40))) })
    }

    /// Without starting a program, so that a moment is not missed.
    func unfinished(_ folder: String) throws -> [String] {
        if let growing { return (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(growing)")) ?? [] }
        return FileManager.default.enumerator(atPath: "\(path)/\(folder)")?.compactMap { $0 as? String }
            .filter { $0.hasSuffix(".pgbackrest.tmp") }.map { "\(folder)/\($0)" } ?? []
    }

    func read(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")) }

    func write(_ name: String, _ content: Data) throws {
        let folder = try TemporaryFolder()
        try content.write(to: URL(fileURLWithPath: folder.path("content")))
        try run(["cp", folder.path("content"), "\(path)/\(name)"])
    }

    func remove(_ name: String) throws { try run(["rm", "\(path)/\(name)"]) }
}

/// What is below a path of the bucket, through curl.
struct BucketFiles: RepositoryFiles {
    let store: ObjectStore
    /// With `/` at its beginning, as in repo-path.
    let path: String

    private func address(_ name: String) -> String { "/\(ObjectStore.bucket)\(encoded("\(path)/\(name)", "/"))" }
    private func encoded(_ text: String, _ kept: String = "") -> String {
        let plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" + kept
        return text.addingPercentEncoding(withAllowedCharacters: CharacterSet(charactersIn: plain))!
    }

    /// The elements of that name in a listing, page by page. Their keys are encoded like in a URL.
    private func elements(_ name: String, _ folder: String, _ query: (_ last: String) -> String) throws -> [Substring] {
        var found: [Substring] = []
        var last = ""
        while true {
            let outcome = try store.request("GET", "/\(ObjectStore.bucket)?\(query(encoded(last)))")
            guard outcome.status == 0 else { throw Failure("\(outcome)") }
            let page = outcome.output.split(separator: "<\(name)>", omittingEmptySubsequences: false).dropFirst()
            found += page
            guard outcome.output.contains("<IsTruncated>true<"), let element = page.last else { return found }
            last = String(path.dropFirst()) + "/" + (try key(element))
        }
    }

    private func key(_ element: Substring) throws -> String {
        guard let text = value("Key", element).replacing("+", with: " ").removingPercentEncoding, text.hasPrefix(path.dropFirst() + "/")
        else { throw Failure("no key: \(element)") }
        return String(text.dropFirst(path.count))
    }

    private func value(_ name: String, _ element: Substring) -> String {
        guard let begin = element.range(of: "<\(name)>"), let end = element.range(of: "</\(name)>") else { return "" }
        return String(element[begin.upperBound..<end.lowerBound])
    }

    func list(_ folder: String) throws -> [String: String] {
        let prefix = encoded("\(path.dropFirst())/\(folder)/")
        let objects = try elements("Contents", folder) { "encoding-type=url&marker=\($0)&max-keys=1000&prefix=\(prefix)" }
        return Dictionary(uniqueKeysWithValues: try objects.map { (try key($0), value("ETag", $0)) }.filter { !$0.0.hasSuffix("/") })
    }

    func unfinished(_ folder: String) throws -> [String] {
        let prefix = encoded("\(path.dropFirst())/\(folder)/")
        return try elements("Upload", folder) { _ in "encoding-type=url&prefix=\(prefix)&uploads=" }.map { try key($0) }
    }

    func read(_ name: String) throws -> Data {
        let folder = try TemporaryFolder()
        let outcome = try store.request("GET", address(name), into: folder.path("content"))
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        return FileManager.default.contents(atPath: folder.path("content")) ?? Data()
    }

    func write(_ name: String, _ content: Data) throws {
        let folder = try TemporaryFolder()
        try content.write(to: URL(fileURLWithPath: folder.path("content")))
        let outcome = try store.request("PUT", address(name), from: folder.path("content"))
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
    }

    func remove(_ name: String) throws {
        // Removing what is not there succeeds, and would hide a mistake of the test.
        guard try contains(name) else { throw Failure("there is no \(name)") }
        let outcome = try store.request("DELETE", address(name))
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
    }
}
