/* installer/key_verify.c - the providers, and one cheap question to each
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "installer/key_verify.h"

#include <string.h>

#include "base/fault.h"
#include "base/http.h"
#include "base/secret.h"

#define TIMEOUT_MS 5000
#define BEARER "Authorization: Bearer "

/* Sources: the providers' API references; the answers to a wrong key as users of them report.  Where
 * the list of models is open to everybody, something else is asked for. */
/* clang-format off */
const KeyProvider key_provider_table[] = {
	{ "OPENAI_API_KEY", "OpenAI", "https://api.openai.com/v1/models", BEARER },
	{ "ANTHROPIC_API_KEY", "Anthropic", "https://api.anthropic.com/v1/models", "x-api-key: ",
	  "anthropic-version: 2023-06-01" },
	{ "GEMINI_API_KEY", "Google", "https://generativelanguage.googleapis.com/v1beta/models",
	  "x-goog-api-key: ", NULL, " 400 403 " },
	{ "GOOGLE_API_KEY", "Google", "https://generativelanguage.googleapis.com/v1beta/models",
	  "x-goog-api-key: ", NULL, " 400 403 " },
	{ "PERPLEXITY_API_KEY", "Perplexity", "https://api.perplexity.ai/async/chat/completions", BEARER },
	{ "MISTRAL_API_KEY", "Mistral", "https://api.mistral.ai/v1/models", BEARER },
	{ "GROQ_API_KEY", "Groq", "https://api.groq.com/openai/v1/models", BEARER },
	{ "XAI_API_KEY", "xAI", "https://api.x.ai/v1/models", BEARER, NULL, " 400 403 " },
	{ "DEEPSEEK_API_KEY", "DeepSeek", "https://api.deepseek.com/models", BEARER },
	{ "COHERE_API_KEY", "Cohere", "https://api.cohere.com/v1/models", BEARER },
	{ "TOGETHER_API_KEY", "Together", "https://api.together.xyz/v1/models", BEARER },
	{ "OPENROUTER_API_KEY", "OpenRouter", "https://openrouter.ai/api/v1/key", BEARER },
	{ "GITHUB_TOKEN", "GitHub", "https://api.github.com/rate_limit", BEARER },
	{ "GITHUB_PAT", "GitHub", "https://api.github.com/rate_limit", BEARER },
	{ "GH_TOKEN", "GitHub", "https://api.github.com/rate_limit", BEARER },
	{ "HF_TOKEN", "Hugging Face", "https://huggingface.co/api/whoami-v2", BEARER },
	{ "HUGGING_FACE_HUB_TOKEN", "Hugging Face", "https://huggingface.co/api/whoami-v2", BEARER },
	{ "AZURE_API_KEY", "Azure", .why_not = "each customer of Azure has an address of their own" },
	{ "AZURE_OPENAI_API_KEY", "Azure", .why_not = "each customer of Azure has an address of their own" },
};
/* clang-format on */
const gsize key_provider_count = G_N_ELEMENTS(key_provider_table);

const KeyProvider *key_provider_find(const char *name)
{
	for (gsize i = 0; i < key_provider_count; i++)
		if (strcmp(key_provider_table[i].name, name) == 0)
			return &key_provider_table[i];

	return NULL;
}

const char *key_verdict_name(KeyVerdict verdict)
{
	static const char *const names[] = {
		[KEY_VALID] = "valid",
		[KEY_MISSING] = "missing",
		[KEY_REFUSED] = "refused",
		[KEY_LIMITED] = "limited",
		[KEY_UNCLEAR] = "unclear",
		[KEY_UNREACHABLE] = "unreachable",
		[KEY_UNVERIFIABLE] = "unverifiable",
	};

	return names[verdict];
}

/* A slipway.ini in a directory that somebody was made to enter names no place for keys. */
static char *url_of(const App *app, const KeyProvider *provider)
{
	const char *origin = settings_origin(app->settings, "mirror");

	if (g_str_equal(origin, "flag") || g_str_has_prefix(origin, "SLIPWAY_"))
		return settings_mirror(app->settings, provider->url);
	return g_strdup(provider->url);
}

static KeyVerdict judge(const KeyProvider *provider, int status, char **why)
{
	g_autofree char *word = g_strdup_printf(" %d ", status);

	if (status == 200) {
		*why = g_strdup_printf("%s takes it", provider->provider);
		return KEY_VALID;
	}
	if (status == 401 || (provider->refused && strstr(provider->refused, word))) {
		*why = g_strdup_printf("%s refuses it (HTTP status %d)", provider->provider,
		                       status);
		return KEY_REFUSED;
	}
	if (status == 402 || status == 429) {
		*why = g_strdup_printf("%s knows it; its quota is used up (HTTP status %d)",
		                       provider->provider, status);
		return KEY_LIMITED;
	}
	*why = g_strdup_printf("%s answers HTTP status %d", provider->provider, status);
	return KEY_UNCLEAR;
}

/* A line break in it would begin another header. */
static bool is_header_text(const char *secret)
{
	for (; *secret; secret++)
		if (!g_ascii_isgraph(*secret) && *secret != ' ')
			return false;
	return true;
}

static KeyVerdict ask(const char *url, const KeyProvider *provider, GBytes *secret, char **why)
{
	char *text = g_strconcat(provider->header, secret_text(secret), NULL);
	g_autoptr(GBytes) header = secret_new_take(text, strlen(text));
	g_autoptr(GError) error = NULL;
	int status = 0;

	const char *const headers[] = { secret_text(header), provider->extra, NULL };
	HttpRequest request = {
		.url = url,
		.timeout_ms = TIMEOUT_MS,
		.status = &status,
		.headers = headers,
	};
	g_autoptr(GBytes) body G_GNUC_UNUSED = http_get(&request, &error);
	if (status != 0)
		return judge(provider, status, why);
	*why = fault_message(error);
	return KEY_UNREACHABLE;
}

KeyVerdict key_verify(const App *app, const char *name, GBytes *secret, char **why)
{
	const KeyProvider *provider = key_provider_find(name);

	if (!provider || !provider->url) {
		*why = g_strdup(provider ? provider->why_not : "its provider is not known");
		return KEY_UNVERIFIABLE;
	}
	if (!is_header_text(secret_text(secret))) {
		*why = g_strdup("it has bytes that no key of this provider has");
		return KEY_REFUSED;
	}

	g_autofree char *url = url_of(app, provider);
	return ask(url, provider, secret, why);
}
