# frozen_string_literal: true

# Just enough of Homebrew's formula language to run a formula where brew cannot be had: its install
# method in a source tree, then its test block.  Prints what the formula says about itself, as JSON.
# Usage: ruby formula.rb FORMULA SOURCE_TREE PREFIX

require 'fileutils'
require 'json'
require 'open3'
require 'pathname'
require 'tmpdir'

module OS
  def self.mac?
    false
  end
end

module Utils
  def self.popen_read(*command)
    Open3.capture2(*command.map(&:to_s)).first
  end
end

# What a formula states, and what it may call.
class Formula
  @facts = { depends: [] }

  class << self
    attr_reader :facts, :test_block

    def inherited(formula)
      super
      formula.instance_variable_set(:@facts, { depends: [] })
    end

    %i[desc homepage url sha256 license].each do |word|
      define_method(word) { |value| (@in_livecheck ? {} : facts)[word] = value }
    end

    def depends_on(what)
      facts[:depends] << what
    end

    def uses_from_macos(what)
      facts[:depends] << what
    end

    def strategy(name)
      facts[:livecheck] = name
    end

    def livecheck
      @in_livecheck = true
      yield
      @in_livecheck = false
    end

    def on_macos; end

    def on_linux
      yield
    end

    def test(&block)
      @test_block = block
    end
  end

  attr_reader :prefix, :testpath

  def initialize(prefix, testpath)
    @prefix = Pathname(prefix)
    @testpath = Pathname(testpath)
  end

  def version
    self.class.facts[:url][/-([0-9.]+)\.tar/, 1]
  end

  def bin
    prefix / 'bin'
  end

  def bash_completion
    prefix / 'etc/bash_completion.d'
  end

  def zsh_completion
    prefix / 'share/zsh/site-functions'
  end

  def fish_completion
    prefix / 'share/fish/vendor_completions.d'
  end

  def system(*command)
    Kernel.system(*command.map(&:to_s), out: :err) || raise("#{command.join(' ')}: #{$CHILD_STATUS}")
  end

  def shell_output(command, expected = 0)
    output, status = Open3.capture2(command)
    assert_equal expected, status.exitstatus
    output
  end

  def assert_equal(expected, actual)
    raise "#{actual.inspect}, not #{expected.inspect}" unless expected == actual
  end

  def assert_match(pattern, text)
    raise "#{text.inspect} does not match #{pattern}" unless text.match?(pattern)
  end

  def assert_path_exists(path)
    raise "#{path} is not there" unless File.exist?(path)
  end

  def refute_empty(list)
    raise 'empty' if list.empty?
  end
end

require 'English'
path, source, prefix = ARGV
load path
formula_class = ObjectSpace.each_object(Formula.singleton_class).find { |one| one < Formula }
Dir.mktmpdir do |testpath|
  formula = formula_class.new(prefix, testpath)
  Dir.chdir(source) { formula.install }
  Dir.chdir(testpath) { formula.instance_eval(&formula_class.test_block) }
end
puts JSON.generate(formula_class.facts)
