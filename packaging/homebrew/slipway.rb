class Slipway < Formula
  desc "Bring a machine to a running local-AI stack, and back"
  homepage "@HOMEPAGE@"
  url "@RELEASE_URL@/v@VERSION@/slipway-@VERSION@.tar.xz"
  sha256 "@SHA256@"
  license "Apache-2.0"

  livecheck do
    url "@RELEASE_URL@/manifest.json"
    strategy :json do |json|
      json["version"]
    end
  end

  depends_on "pkgconf" => :build
  depends_on "curl"
  depends_on "glib"
  depends_on "inih"
  depends_on "jansson"
  depends_on "libarchive"
  depends_on "openssl@3"

  uses_from_macos "zlib"

  on_macos do
    depends_on "make" => :build # the system's is 3.81
  end

  on_linux do
    depends_on "libsecret"
  end

  def install
    make = OS.mac? ? "gmake" : "make"
    system make, "install",
           "PREFIX=#{prefix}", "INSTALLED_BY=brew upgrade slipway",
           "BASHCOMPDIR=#{bash_completion}", "ZSHCOMPDIR=#{zsh_completion}",
           "FISHCOMPDIR=#{fish_completion}"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/slipway version")
    assert_match "localagent", shell_output("#{bin}/slipway stacks")

    # Whether this machine can carry the stack is no matter of the formula; that it was read is.
    report = JSON.parse(Utils.popen_read(bin/"slipway", "check", "localagent", "--json"))
    assert_equal 1, report["schema"]
    refute_empty report["checks"]

    system bin/"slipway", "unpack", "localagent", testpath/"localagent"
    assert_path_exists testpath/"localagent/stack.ini"
  end
end
