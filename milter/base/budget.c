#include "config.h"

#include "missent/budget.h"

void ms_limits_default(MsLimits *limits)
{
	*limits = (MsLimits){
		.max = {
			[MS_COST_TEXT] = 32 << 20,
			[MS_COST_DECODED] = 64 << 20,
			[MS_COST_PART] = 200,
			[MS_COST_HEADER] = 1000,
			[MS_COST_HEADER_BYTES] = 256 << 10,
			[MS_COST_PAGE] = 500,
			[MS_COST_OCR] = 0,
			[MS_COST_FINDING] = 2000,
			[MS_COST_READING] = 4 << 20,
		},
		.max_depth = 20,
		.milliseconds = 20 * 1000,
		.memory = 512 << 20,
		.max_message = 64 << 20,
		.ocr_dpi = 200,
		.ocr_confidence = 60,
		.ocr_coverage = 40,
	};
}

void ms_budget_init(MsBudget *budget, const MsLimits *limits)
{
	for (int i = 0; i < MS_N_COSTS; i++)
		budget->left[i] = limits->max[i];
	budget->depth_left = limits->max_depth;
	budget->deadline = g_get_monotonic_time() + limits->milliseconds * 1000;
	budget->ticks = 0;
	budget->late = false;
}

bool ms_budget_charge(MsBudget *budget, MsCost cost, guint64 amount)
{
	if (amount > budget->left[cost])
		return false;
	budget->left[cost] -= amount;
	return true;
}

bool ms_budget_time(MsBudget *budget)
{
	if (!budget->late && (budget->ticks++ & 63) == 0)
		budget->late = g_get_monotonic_time() > budget->deadline;
	return !budget->late;
}

const char *ms_cost_name(MsCost cost)
{
	switch (cost) {
	case MS_COST_TEXT: return "max-text";
	case MS_COST_DECODED: return "max-decoded";
	case MS_COST_PART: return "max-parts";
	case MS_COST_HEADER: return "max-headers";
	case MS_COST_HEADER_BYTES: return "max-header-bytes";
	case MS_COST_PAGE: return "max-pages";
	case MS_COST_OCR: return "ocr-pages";
	case MS_COST_FINDING: return "max-findings";
	case MS_COST_READING: return "max-reading";
	case MS_N_COSTS: break;
	}
	g_assert_not_reached();
}
