import EndToEndSupport
import Foundation
import Testing

/// Names and texts that are bytes to a file system and to PostgreSQL, whatever they look like to a person.
@Suite(.servers)
struct UnusualNamesTests {
    /// A manifest has a line for each database, so this one cannot be in it: refused before anything is stored.
    @Test func databaseWithALineFeed() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try cluster.query("CREATE DATABASE \"two\nlines\"")
        let outcome = try bench.attempt("--type=full", "backup")
        #expect(outcome.status == 32, "\(outcome)")
        #expect(outcome.text.contains("two") && outcome.text.contains("lines"), "\(outcome)")
        #expect(try bench.labels().count == 1)
        // The server is not left in backup mode, nor the lock held.
        try cluster.query("DROP DATABASE \"two\nlines\"")
        try cluster.query("CREATE DATABASE \"[it's] = {\"\"ü\"\"}\\\"")
        try bench.run("--type=full", "backup")
        #expect(try bench.labels().count == 2)
        let text = try bench.run("--set=\(try #require(try bench.labels().last))", "info").output
        #expect(text.contains("[it's] = {\"ü\"}\\ ("), "\(text)")
    }

    private static let names = [
        "\u{e9}", "e\u{301}", "\u{301}x", "x", "\u{301}", "\u{212b}", "\u{c5}", "A\u{30a}", "[target:file]", "a={\"size\":0}", "a=b=1",
        "\"q\"",
        "back\\slash", "tab\tname", " blank ", "%p%f", "$(touch x)`", "'", "x.gz", "x.zst", "\u{1f1e9}\u{1f1ea}", "-rf", "*",
    ]

    /// Names that are no UTF-8 are backed up, excluded and restored as the bytes that they are, by either program from either's backup.
    @Test(arguments: Feature.namesOfAnyBytes.kinds)
    func anyBytes(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        // é in Latin-1, halves of characters, a folder, and a character that this program has a use for.
        let script = #"""
            mkdir -m 700 notes "notes/$(printf 'd\351')" && cd notes
            for name in 'caf\351' '\377\376' 'a\303' '\303\251' 'e\314\201' 'd\351/\200x' 'd\351/left\351' '\364\217\276\200' '\364\217\277\277x'; do
                n=$(printf "$name") && printf '%s' "$name" >"$n" && chmod 600 "$n"
            done
            find . -type f -exec touch -d @1700000000 {} + # what was just written gets another time in a backup
            """#
        try run(["sh", "-ec", script], in: bench.data)
        let listing = #"""
            export LC_ALL=C
            { find notes -type d -printf '%p %m\n'; find notes -type f -printf '%p %m %s %T@\n' | sed 's/[.][0-9]*$//'; } | sort | cat -v
            find notes -type f -exec sha1sum {} + | sort | cat -v
            """#
        func sums(_ data: String) throws -> String { try run(["sh", "-ec", listing], in: data).output }
        let expected = try sums(bench.data)
        #expect(expected.contains("notes/cafM-i ") && expected.contains("M-^?M-~"), "\(expected)")
        let exclude = #"exec "$@" --exclude="$(printf 'notes/d\351/left\351')" --exclude="$(printf 'notes/e\314\201')" --type=full backup"#
        func backUp(_ tool: Tool) throws { try run(["sh", "-ec", exclude, "sh"] + bench.command([], tool: tool), in: bench.folder.path) }
        // Stores take names in UTF-8 only: ours are spelled in a way that the peer does not know, and it cannot put any.
        let tools = kind.peerReads && !"\(kind)".hasPrefix("s3") ? [Tool.underTest, Tool.peer] : [.underTest]
        let wanted =
            expected.split(separator: "\n").filter { !$0.contains("leftM-i") && !$0.contains("notes/eM-L") }.joined(separator: "\n") + "\n"
        for writer in tools {
            try cluster.query("ALTER SYSTEM SET archive_command = \(bench.archiveCommand(tool: writer))")
            try cluster.query("SELECT pg_reload_conf()")
            try backUp(writer)
            try cluster.archiveCurrentSegment()
            for reader in tools {
                let name = "by-\(writer.name)-\(reader.name)"
                _ = try bench.restore(name, "--type=immediate", tool: reader)
                #expect(try sums(bench.folder.path(name)) == wanted, "\(name)")
                // What is not in the backup goes, what is stays.
                try run(
                    ["sh", "-ec", #"touch "notes/$(printf 'more\351')"; echo x >"notes/$(printf 'caf\351')""#], in: bench.folder.path(name))
                try bench.run("--pg1-path=\(bench.folder.path(name))", "--delta", "--type=immediate", "restore", tool: reader)
                #expect(try sums(bench.folder.path(name)) == wanted, "\(name) --delta")
            }
        }
        let log = try bench.attempt("--type=full", "--log-level-console=detail", "backup")
        #expect(log.status == 0 && log.text.contains(#"caf\xE9"#), "\(log)")
    }

    /// So are the places that links lead to, in options and in the configuration.
    @Test func linksOfAnyBytes() throws {
        let bench = try Workbench()
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        func shell(_ script: String, _ tool: Tool, _ arguments: String...) throws {
            try run(["sh", "-ec", script, "sh"] + bench.command(arguments, tool: tool), in: bench.folder.path)
        }
        let prepare = #"""
            e=$(printf '\351')
            mkdir -m 700 "far$e" && echo there >"far$e/file" && ln -s "$PWD/far$e" "data/link$e" && echo here >"data/left$e"
            printf '[global:backup]\nexclude=left\351\n' >>"$0"
            """#
        try run(["sh", "-ec", prepare, bench.configuration], in: bench.folder.path)
        let restore = #"""
            e=$(printf '\351')
            exec "$@" --link-map="link$e=$PWD/new$e/place" --type=immediate restore
            """#
        let listing = #"""
            e=$(printf '\351')
            [ "$(readlink "$0/link$e")" = "$PWD/new$e/place" ] && cat "$0/link$e/file" && [ ! -e "$0/left$e" ]
            """#
        for writer in [Tool.underTest, .peer] {
            try cluster.query("ALTER SYSTEM SET archive_command = \(bench.archiveCommand(tool: writer))")
            try cluster.query("SELECT pg_reload_conf()")
            try bench.run("--type=full", "backup", tool: writer)
            try cluster.archiveCurrentSegment()
            for reader in [Tool.underTest, .peer] {
                let name = "by-\(writer.name)-\(reader.name)"
                let option = "--pg1-path=\(bench.folder.path(name))"
                try bench.folder.makeDirectory(name)
                try run(["sh", "-ec", #"rm -rf "new$(printf '\351')""#], in: bench.folder.path)
                try shell(restore, reader, option)
                #expect(try run(["sh", "-ec", listing, name], in: bench.folder.path).output == "there\n", "\(name)")
                try shell(restore, reader, option, "--delta")
                #expect(try run(["sh", "-ec", listing, name], in: bench.folder.path).output == "there\n", "\(name) --delta")
            }
        }
        // Of other options it is told.
        let outcome = try attempt(
            ["sh", "-ec", #"exec "$@" --log-path="$PWD/$(printf '\351')" info"#, "sh"] + bench.command([]), in: bench.folder.path)
        #expect(outcome.status == 32 && outcome.text.contains("the value of option 'log-path' is not UTF-8 text"), "\(outcome)")
    }

    /// `é` has two spellings, which are two files; a combining mark at the front joins the slash before it.
    @Test(arguments: Feature.unusualNames.kinds)
    func files(_ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        for folder in ["\(bench.data)/notes", "\(bench.data)/notes/\u{301}folder", "\(bench.data)/notes/folder"] {
            try run(["mkdir", "-m", "700", folder])
            for name in Self.names { try run(["sh", "-c", "printf '%s' \"$1\" >\"$2\"", "sh", "\(folder): \(name)", "\(folder)/\(name)"]) }
        }
        try run(["sh", "-c", "echo top >\"$0\"", "\(bench.data)/\u{301}top"])
        // What was just written gets another time in a backup.
        try run(["sh", "-c", "find notes \u{301}top -type f -exec touch -d @1700000000 -- {} +"], in: bench.data)
        func sums(_ data: String) throws -> [String] {
            try run(
                [
                    "sh", "-c",
                    "find notes \u{301}top -type d -exec stat -c '%n %f' {} + ; find notes \u{301}top -type f -exec stat -c '%n %f %s %Y' {} + ; find notes \u{301}top -type f -exec sha1sum -- {} +",
                ], in: data
            )
            .output.split(separator: "\n").map(String.init).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
        let expected = try sums(bench.data)
        #expect(expected.count > 2 * 3 * Self.names.count)
        try bench.run("--type=full", "backup")
        try cluster.archiveCurrentSegment()
        try cluster.stop()
        for tool in kind.peerReads ? [Tool.underTest, Tool.peer] : [.underTest] {
            let name = "restored-\(tool.name)"
            _ = try bench.restore(name, "--type=immediate", tool: tool)
            let found = try sums(bench.folder.path(name))
            #expect(found.count == expected.count, "\(tool)")
            for (a, b) in zip(found, expected) { #expect(a.utf8.elementsEqual(b.utf8), "\(tool)") }
            // Over itself nothing changes, and what is not in the backup goes: also another spelling.
            try run(["sh", "-c", "rm \"notes/folder/$1\" && touch notes/o\u{308}", "sh", "e\u{301}"], in: bench.folder.path(name))
            try bench.run("--pg1-path=\(bench.folder.path(name))", "--type=immediate", "--delta", "restore", tool: tool)
            #expect(try sums(bench.folder.path(name)).elementsEqual(expected) { $0.utf8.elementsEqual($1.utf8) }, "\(tool)")
        }
    }

    @Test func fileWithALineFeed() throws {
        let bench = try Workbench()
        let cluster = try bench.cluster()
        try bench.run("stanza-create")
        try run(["touch", "\(bench.data)/two\nlines"])
        let outcome = try bench.attempt("--type=full", "backup")
        #expect(outcome.status == 32, "\(outcome)")
        #expect(outcome.text.contains("two") && outcome.text.contains("lines"), "\(outcome)")
        try run(["rm", "\(bench.data)/two\nlines"])
        try bench.run("--type=full", "backup")
        try cluster.stop()
    }

    /// The restore writes the command that recovery runs through a shell, after PostgreSQL replaced its %.
    @Test(arguments: [
        "my data", "it's 50% \"done\" $HOME", "%p%f%%", "a;b&c|d>e", "back\\slash", "tab\tand ü", "'\u{301}%\u{301}\"\u{301}\\\u{301}",
    ])
    func restoreCommand(_ name: String) throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try cluster.query("INSERT INTO item VALUES (0, 'after the backup')")
        try cluster.archiveCurrentSegment()
        let rows = try cluster.fingerprint()
        try cluster.stop()
        try bench.folder.makeDirectory(name)
        try bench.run("--pg1-path=\(bench.folder.path(name))", "restore")
        // A server whose socket folder has a plain name.
        try run(["ln", "-s", bench.folder.path(name), bench.folder.path("plain")])
        let restored = try Cluster(.version(15), in: bench.folder, name: "plain")
        // Not pg_ctl, which quotes the path for a shell of its own.
        let server = try Running(
            [restored.installation.program("postgres"), "-D", bench.folder.path(name)]
                + ["unix_socket_directories=\(restored.socket)", "port=5432", "listen_addresses=", "archive_mode=off"].flatMap {
                    ["-c", $0]
                })
        do {
            try eventually("recovery has ended") {
                if let outcome = server.poll() { throw Failure("\(outcome)") }
                return (try? restored.query("SELECT NOT pg_is_in_recovery()")) == "t" ? true : nil
            }
        } catch { throw Failure("\(error)\n\(try run(["cat", bench.folder.path(name) + "/postgresql.auto.conf"]).output)") }
        #expect(try restored.fingerprint() == rows)
        server.signal(3)
        _ = try server.wait()
    }

    /// Settings need not be UTF-8: a server of another encoding writes what it was given.
    @Test func settingsThatAreNotUTF8() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try run([
            "sh", "-c",
            "printf \"# caf\\351 \\377\\376\\ncluster_name = 'caf\\351'\\nrecovery_target_name = 'x\\351'\\n\" >>\"$0\"/postgresql.auto.conf",
            bench.data,
        ])
        try bench.run("--type=full", "backup")
        try cluster.stop()
        try run(["cp", "\(bench.data)/postgresql.auto.conf", bench.folder.path("before")])
        for options in [["--type=none"], ["--type=default"], ["--type=immediate", "--target-action=promote"]] {
            try bench.run(options + ["--delta", "restore"])
            let lines = try run([
                "sh", "-c",
                "LC_ALL=C grep -a -c -e \"^# caf$(printf '\\351 \\377\\376')$\" -e \"^cluster_name = 'caf$(printf '\\351')'$\" \"$0\"/postgresql.auto.conf",
                bench.data,
            ])
            #expect(lines.output == "2\n", "\(options)")
            let target = try attempt([
                "sh", "-c",
                "LC_ALL=C grep -a -c \"^# Removed by .* # recovery_target_name = 'x$(printf '\\351')'$\" \"$0\"/postgresql.auto.conf",
                bench.data,
            ])
            #expect(target.output == "1\n", "\(options)")
        }
        try cluster.start()
        try cluster.waitForPromotion()
    }
}
