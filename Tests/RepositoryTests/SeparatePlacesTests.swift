import Testing

@testable import BackstopCommands

/// A repository may be neither the cluster's folder, nor in it, nor around it.
struct SeparatePlacesTests {
    @Test(
        arguments: [
            ("/data/pg", "/data/pg", "is"), ("/data/pg/backups", "/data/pg", "is in"), ("/data/pg/a/b", "/data/pg", "is in"),
            ("/data", "/data/pg", "contains"), ("/", "/data/pg", "contains"), ("/data/pg", "/", "is in"), ("/", "/", "is"),
            ("/data/pg2", "/data/pg", nil), ("/data/p", "/data/pg", nil), ("/backup", "/data/pg", nil), ("/data/pg", "/data/pg2", nil),
            ("/d/e\u{301}", "/d/\u{e9}", nil), ("/d/\u{301}x", "/d", "is in"),
        ] as [(String, String, String?)])
    func names(_ repository: String, _ cluster: String, _ relation: String?) {
        let found = TakenPlace.overlap(repositories: [place("repo1-path", repository)], cluster: [place("pg1-path", cluster)])
        #expect(found == relation.map { "repo1-path '\(repository)' \($0) pg1-path '\(cluster)' of the cluster" })
    }

    /// One disk may be mounted twice: files tell by their numbers that they are the same.
    @Test func numbers() {
        let (disk, folder, other) = (identity(1), identity(2), identity(3))
        func found(_ repository: TakenPlace, _ cluster: TakenPlace) -> String? {
            TakenPlace.overlap(repositories: [repository], cluster: [cluster])
        }
        let cluster = place("pg1-path", "/data/pg", folder, [disk])
        #expect(found(place("repo1-path", "/backup", folder, [other]), cluster)?.contains("is pg1") == true)
        #expect(found(place("repo1-path", "/backup", other, [folder]), cluster)?.contains("is in pg1") == true)
        #expect(found(place("repo1-path", "/backup", disk, [other]), cluster)?.contains("contains pg1") == true)
        #expect(found(place("repo1-path", "/backup", other, [disk]), cluster) == nil)
        // What does not exist has no number, which is not the number of something else that does not exist.
        #expect(found(place("repo1-path", "/backup"), place("pg1-path", "/data/pg")) == nil)
    }

    @Test func eachWithEach() {
        let repositories = [place("repo1-path", "/backup"), place("repo3-path", "/spaces/a/PG_15_202209061/x")]
        let cluster = [place("pg1-path", "/data"), place("tablespace 'a'", "/spaces/a/PG_15_202209061")]
        let found = TakenPlace.overlap(repositories: repositories, cluster: cluster)
        #expect(found?.hasPrefix("repo3-path '/spaces/a/PG_15_202209061/x' is in tablespace 'a'") == true)
        #expect(TakenPlace.overlap(repositories: [repositories[0]], cluster: cluster) == nil)
        #expect(TakenPlace.overlap(repositories: [], cluster: cluster) == nil)
    }

    @Test(arguments: [
        ("/a/b", "/a/b"), ("/a//b/./c/", "/a/b/c"), ("/a/../b", "/b"), ("/..", "/"), ("/", "/"),
        // Links: absolute, relative, in the middle, in a chain, with dots behind them, to nothing.
        ("/link", "/data/pg"), ("/link/x/y", "/data/pg/x/y"), ("/data/rel", "/other"), ("/data/rel/x", "/other/x"),
        ("/chain", "/data/pg"), ("/link/..", "/data"), ("/link/../x", "/data/x"), ("/nothing/x", "/gone/x"),
    ])
    func resolution(_ path: String, _ expected: String) {
        let links = ["/link": "/data/pg", "/data/rel": "../other", "/chain": "data/../link", "/nothing": "/gone"]
        #expect(resolvedPath(path) { links[$0] } == expected)
    }

    @Test func endlessLinks() {
        #expect(resolvedPath("/a") { $0 == "/a" ? "/b" : "/a" }.count == 2)
    }

    private func identity(_ number: UInt64) -> TakenPlace.Identity { TakenPlace.Identity(device: 1, number: number) }

    private func place(_ name: String, _ path: String, _ identity: TakenPlace.Identity? = nil, _ above: Set<TakenPlace.Identity> = [])
        -> TakenPlace
    {
        TakenPlace(name: name, given: path, path: path, identity: identity, above: above)
    }
}
