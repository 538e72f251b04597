// Loads a configuration from texts, as the program would from its command line, environment and files.

import BackstopCommands
@testable import BackstopCore
import BackstopDrivers
import Glibc

/// Of this build.
let registry = {
    var registry = Registry()
    registerBuiltinDrivers(in: &registry)
    return registry
}()
let table = OptionTable.standard(registry)

/// By name, as the lines of a test are written: what the program reads it reads by the keys of the declarations.
extension Options {
    func string(_ name: String, _ index: Int = 0) -> String? { value(name, index).flatMap { String(option: $0) } }
    func flag(_ name: String, _ index: Int = 0) -> Bool { optionalFlag(name, index) ?? false }
    func optionalFlag(_ name: String, _ index: Int = 0) -> Bool? { value(name, index).flatMap { Bool(option: $0) } }
    func number(_ name: String, _ index: Int = 0) -> Int? { value(name, index).flatMap { Int(option: $0) } }
    func duration(_ name: String) -> Duration? { value(name).flatMap { Duration(option: $0) } }
    func list(_ name: String, _ index: Int = 0) -> [String] { [String](option: value(name, index)) ?? [] }
    func map(_ name: String, _ index: Int = 0) -> [String: String] { [String: String](option: value(name, index)) ?? [:] }
}

/// A folder with the configuration files of one test, removed at its end.
final class Files {
    let root: String
    var folders: ConfigurationFolders {
        var folders = ConfigurationFolders()
        folders.ours = root + "/ours"
        folders.peers = root + "/peers"
        folders.peersOldFile = root + "/old.conf"
        return folders
    }

    init(_ files: [String: String] = [:]) {
        var template = Array("/tmp/backstop-configuration-XXXXXX".utf8CString)
        root = String(cString: mkdtemp(&template))
        for folder in ["", "/ours", "/ours/conf.d", "/peers", "/peers/conf.d", "/other", "/other/conf.d"] { mkdir(root + folder, 0o700) }
        for (path, text) in files { write(path, Array(text.utf8)) }
    }

    func write(_ path: String, _ bytes: [UInt8]) {
        let file = fopen(root + "/" + path, "w")!
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    /// Gives the folders and that file these modes.
    func setModes(folders: UInt32, _ path: String, _ mode: UInt32) {
        for folder in ["", "/ours", "/ours/conf.d", "/peers", "/peers/conf.d", "/other", "/other/conf.d"] { chmod(root + folder, folders) }
        chmod(root + "/" + path, mode)
    }

    deinit {
        for folder in ["ours/conf.d", "peers/conf.d", "other/conf.d", "ours", "peers", "other", ""] {
            let path = root + "/" + folder
            guard let stream = opendir(path) else { continue }
            while let entry = readdir(stream) {
                unlink(path + "/" + withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
            }
            closedir(stream)
            rmdir(path)
        }
    }
}

/// `line` is split at blanks; `file` is the main configuration file.
func load(_ line: String, file: String = "", environment: [String: String] = [:]) throws(BackupError) -> Configuration {
    let files = Files(["ours/pgbackstop.conf": file])
    return try load(line, in: files, environment: environment)
}

func load(
    _ line: String, as program: String = "pgbackstop", in files: Files, environment: [String: String] = [:], _ table: OptionTable = table
) throws(BackupError) -> Configuration {
    let words = [program] + line.split(separator: " ").map(String.init)
    return try Configuration.load(try ParsedCommandLine.parse(words, table), environment: environment, table, folders: files.folders)
}

/// The error of `load`, or nil when it succeeds.
func failure(_ line: String, file: String = "", environment: [String: String] = [:]) -> BackupError? {
    do {
        _ = try load(line, file: file, environment: environment)
        return nil
    } catch { return error }
}

/// The exit status that a command line ends with before anything runs; 0 when it would run.
func status(_ line: String, file: String = "", environment: [String: String] = [:]) -> Int32 {
    failure(line, file: file, environment: environment)?.code.exitStatus ?? 0
}

/// A backup that has all it needs.
let backup = "--stanza=s --pg1-path=/pg --repo1-retention-full=2 backup"
